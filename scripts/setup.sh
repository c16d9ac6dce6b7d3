#!/usr/bin/env bash
# Make the virtual environment and install what it needs: `scripts/setup.sh run` or `scripts/setup.sh dev`.
# Only what is missing or whose lock has changed is done; a second call takes a moment.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. scripts/common.sh

readonly wanted=${1:-run}
readonly venv=.venv
readonly stamp=$venv/installed

main() {
  local level fingerprint
  level=$(level_to_install)
  fingerprint=$(fingerprint_of "$level")
  if [ "$(cat "$stamp" 2>/dev/null)" != "$fingerprint" ]; then
    make_venv
    # Gone until all is done: an interrupted installation is begun again, not mended.
    rm -f $stamp
    install_packages "$level"
    printf '%s' "$fingerprint" >"$stamp"
    say "ready: $venv"
  fi
  bash scripts/system.sh "$wanted"
}

# What tests need holds all that running needs, so an environment once made for tests stays so.
level_to_install() {
  if [ "$wanted" = dev ] || [ "$(cut -d' ' -f1 "$stamp" 2>/dev/null)" = dev ]; then echo dev; else echo run; fi
}

# The level, the place (an environment does not survive a move) and everything that is installed.
fingerprint_of() {
  local locks
  locks=$(cat requirements/bootstrap.lock "requirements/$1.lock" pyproject.toml scripts/setup.sh | sha256sum)
  printf '%s %s %s' "$1" "${locks%% *}" "$PWD"
}

make_venv() {
  if made_here && $venv/bin/python -m pip --version >/dev/null 2>&1; then return; fi
  local python
  python=$(find_python) || fail "Python 3.11 or newer is needed: install it, or name it with PYTHON=/path/to/python3"
  say "making the virtual environment with $python ($("$python" -V 2>&1))"
  "$python" -c 'import ensurepip' 2>/dev/null || install_venv_module "$python"
  rm -rf $venv
  "$python" -m venv $venv
}

# An environment that was moved or copied here still names its old place; a half-made one has no stamp.
made_here() { [ "$(cut -d' ' -f3- $stamp 2>/dev/null)" = "$PWD" ]; }

find_python() {
  local candidate
  for candidate in ${PYTHON:+"$PYTHON"} python3.11 python3 python3.14 python3.13 python3.12; do
    if command -v "$candidate" >/dev/null &&
      "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

# Debian keeps the venv module in a package of its own.
install_venv_module() {
  local package
  package=$("$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
  install_debian_packages "$package" || fail "$1 cannot make virtual environments: install $package"
}

install_packages() {
  say "installing the locked packages ($1)"
  $venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
    --requirement requirements/bootstrap.lock
  uv pip sync --compile-bytecode --require-hashes requirements/bootstrap.lock "requirements/$1.lock"
  # Without build isolation: the build tool comes from the lock too, and nothing is fetched.
  uv pip install --no-deps --no-build-isolation --editable .
}

uv() {
  local cache=()
  # An account without a home folder of its own has no place for a cache.
  [ -n "${HOME:-}" ] && [ -w "${HOME:-}" ] || cache=(--cache-dir "$venv/cache")
  VIRTUAL_ENV=$PWD/$venv UV_PYTHON_DOWNLOADS=never $venv/bin/python -m uv --quiet "${cache[@]}" "$@"
}

main
