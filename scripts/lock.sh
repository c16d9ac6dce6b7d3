#!/usr/bin/env bash
# Resolve the locks again from pyproject.toml and requirements/*.in: `scripts/lock.sh`, or with --upgrade for the newest versions.
# Every package is pinned with its hashes, for every platform; no index is named.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

compile() {
  .venv/bin/python -m uv pip compile --quiet --python-version 3.11 --universal --generate-hashes \
    --no-emit-index-url --no-header --no-annotate "$@"
}

compile "$@" requirements/bootstrap.in --output-file requirements/bootstrap.lock
compile "$@" pyproject.toml --output-file requirements/run.lock
# What the tests run on is what is shipped: one version of each package in both.
compile "$@" pyproject.toml --group dev --constraint requirements/run.lock --output-file requirements/dev.lock
for apart in peers pretix load; do
  compile "$@" requirements/$apart.in --output-file requirements/$apart.lock
done
