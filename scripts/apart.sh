# shellcheck shell=bash
# Environments beside the product's own. Sourced after scripts/common.sh, from the project's folder.

# The packages of requirements/$1.lock into the folder $2, unless they are there.
install_apart() {
  local lock=requirements/$1.lock venv=$2 stamp=$2/installed fingerprint
  fingerprint=$(cat requirements/bootstrap.lock "$lock" scripts/apart.sh .venv/installed | sha256sum)
  if [ "$(cat "$stamp" 2>/dev/null)" = "$fingerprint" ]; then return; fi
  say "installing $lock"
  rm -rf "$venv"
  .venv/bin/python -m venv --without-pip "$venv"
  uv "$venv" sync requirements/bootstrap.lock
  # Without build isolation: a few come as source, and what builds them comes from the lock too.
  uv "$venv" sync --no-build-isolation requirements/bootstrap.lock "$lock"
  printf '%s' "$fingerprint" >"$stamp"
  say "ready: $venv"
}

# Named: uv takes the environment that it runs in itself for the one it is to change.
uv() {
  local venv=$1
  shift
  UV_PYTHON_DOWNLOADS=never .venv/bin/python -m uv --quiet pip "$@" --require-hashes --python "$PWD/$venv/bin/python"
}
