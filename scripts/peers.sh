#!/usr/bin/env bash
# Install what we are measured beside into an environment of its own, .altayar/peers: `scripts/peers.sh`.
# `scripts/setup.sh dev` has run before; a second call takes a moment.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. scripts/common.sh

readonly venv=.altayar/peers
readonly stamp=$venv/installed

main() {
  local fingerprint
  fingerprint=$(cat requirements/bootstrap.lock requirements/peers.lock scripts/peers.sh .venv/installed | sha256sum)
  if [ "$(cat $stamp 2>/dev/null)" = "$fingerprint" ]; then return; fi
  say "installing the peers"
  rm -rf $venv
  .venv/bin/python -m venv --without-pip $venv
  uv pip sync --require-hashes requirements/bootstrap.lock
  # Without build isolation: django-hordak comes as source, and what builds it comes from the lock too.
  uv pip sync --require-hashes --no-build-isolation requirements/bootstrap.lock requirements/peers.lock
  printf '%s' "$fingerprint" >$stamp
  say "ready: $venv"
}

# Named: uv takes the environment that it runs in itself for the one it is to change.
uv() { UV_PYTHON_DOWNLOADS=never .venv/bin/python -m uv --quiet "$@" --python "$PWD/$venv/bin/python"; }

main
