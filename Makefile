# Every target sets up what it needs first. Paths are relative, so a folder with spaces works.
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run demo drill test evidence mutants faults lint format types bench peers load fuzz problems lock clean

PYTHON_IN_VENV := .venv/bin/python

# What a whole run leaves for `make evidence`: named by when, and of which commit.
EVIDENCE = --junitxml=.altayar/evidence/$(shell date -u +%Y%m%dT%H%M%SZ)-$(shell git describe --always --dirty --exclude='*' 2>/dev/null || echo unknown).xml

# Processes start by the dozen here; compiling everything anew at each start would be most of what they do.
unexport PYTHONDONTWRITEBYTECODE

help: ## Say what each target does
	@grep -hE '^[a-z]+:.*## ' Makefile | sort -s -t: -k1,1 | awk -F ':.*## ' '{ printf "  make %-9s %s\n", $$1, $$2 }'

setup: ## Install everything that running needs; starts nothing
	@bash scripts/setup.sh run

setup-dev:
	@bash scripts/setup.sh dev

run: setup ## Start everything in this terminal: servers, migrations, demo data, web, workers (PORT=8000)
	@exec $(PYTHON_IN_VENV) -m cli up

demo: setup ## Tell the customer's journey step by step
	@exec $(PYTHON_IN_VENV) -m cli demo

drill: setup ## Restore a backup of the database into a new server and verify it there (FILE=altayar.dump for a given one)
	@exec $(PYTHON_IN_VENV) -m cli db drill $(FILE)

test: setup-dev ## Run every test (PYTEST_ARGS="tests/domain -k money" for some of them)
	@exec $(PYTHON_IN_VENV) -m pytest -n 4 $(or $(PYTEST_ARGS),$(EVIDENCE))

evidence: setup-dev ## Write docs/evidence.md: each promise of the README with how its tests last ended
	@exec $(PYTHON_IN_VENV) scripts/evidence.py

mutants: setup-dev ## Make mistakes in copies of the tree, which tests have to notice (MUTANTS="refund" for some of them)
	@exec $(PYTHON_IN_VENV) -m tests.mutants $(if $(MUTANTS),"$(MUTANTS)")

faults: setup-dev ## Try every fault of the catalogue, and write what became of each (FAULTS_ARGS="-k redis" for some of them)
	@bash scripts/system.sh faults
	@$(if $(FAULTS_ARGS),,PYTEST_ADDOPTS="$(EVIDENCE)") exec $(PYTHON_IN_VENV) -m tests.faults $(FAULTS_ARGS)

lint: setup-dev ## Check style, types, the direction of imports, dependencies, migrations, deployment files and secrets
	$(PYTHON_IN_VENV) -m ruff check .
	$(PYTHON_IN_VENV) -m ruff format --check .
	$(PYTHON_IN_VENV) -m mypy
	.venv/bin/lint-imports
	.venv/bin/deptry .
	$(PYTHON_IN_VENV) scripts/lint_migrations.py
	.venv/bin/hadolint deploy/docker/Dockerfile
	$(PYTHON_IN_VENV) scripts/check_secrets.py

format: setup-dev ## Format the code and mend what can be mended by itself
	$(PYTHON_IN_VENV) -m ruff check --fix .
	$(PYTHON_IN_VENV) -m ruff format .

types: setup-dev ## Check types only
	$(PYTHON_IN_VENV) -m mypy

bench: setup-dev ## Measure us beside the floors, as ratios within one run
	@exec $(PYTHON_IN_VENV) -m tests.benchmarks $(BENCH_ARGS)

peers: setup-dev ## Measure us beside our peers, installed into an environment of their own
	@bash scripts/peers.sh
	@exec $(PYTHON_IN_VENV) -m tests.benchmarks.peers $(BENCH_ARGS)

load: setup-dev ## Send the real mix to the shipped web server and proxy (LOAD_ARGS="mix --minutes 2" for one profile)
	@bash scripts/load.sh
	@exec $(PYTHON_IN_VENV) -m tests.load $(LOAD_ARGS)

fuzz: setup-dev ## Send FUZZ_REQUESTS=20000 requests of every kind to a running server and check every answer
	@exec $(PYTHON_IN_VENV) -m tests.fuzz

problems: setup-dev ## Write docs/problems.md, the catalogue of all codes, anew
	@exec $(PYTHON_IN_VENV) scripts/problems.py

lock: setup-dev ## Resolve the locked packages again (UPGRADE=1 for the newest versions)
	bash scripts/lock.sh $(if $(UPGRADE),--upgrade)

clean: ## Remove the environment and caches; the data in .altayar stays
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache src/*.egg-info
	find src tests migrations -name __pycache__ -type d -prune -exec rm -rf {} +
