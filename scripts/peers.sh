#!/usr/bin/env bash
# Install what we are measured beside, each into an environment of its own: `scripts/peers.sh`.
# `scripts/setup.sh dev` has run before; a second call takes a moment.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. scripts/common.sh
. scripts/apart.sh

install_apart peers .altayar/peers
install_apart pretix .altayar/peers-pretix
