#!/usr/bin/env bash
# Install what sends load and draws its results, into an environment of its own: `scripts/load.sh`.
# `scripts/setup.sh dev` has run before; a second call takes a moment.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. scripts/common.sh
. scripts/apart.sh

install_apart load .altayar/load/environment
