#!/usr/bin/env bash
# Check the system's libraries, fonts and programs, and install from Debian what is missing where we may.
# `run`: what WeasyPrint needs to draw invoices. `dev`: Chromium, Poppler and nginx for the tests as well.
# `faults`: libfaketime besides, for `make faults` alone.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. scripts/common.sh

readonly wanted=${1:-run}

# shared library -> Debian package
readonly libraries="
libpango-1.0.so.0 libpango-1.0-0
libpangoft2-1.0.so.0 libpangoft2-1.0-0
libharfbuzz.so.0 libharfbuzz0b
libharfbuzz-subset.so.0 libharfbuzz-subset0
"

main() {
  local missing
  missing=$(missing_packages)
  if [ -n "$missing" ]; then
    # shellcheck disable=SC2086 # one package a word
    install_debian_packages $missing || true
    missing=$(missing_packages)
  fi
  [ -z "$missing" ] || explain "$missing"
}

missing_packages() {
  {
    missing_for_documents
    if [ "$wanted" != run ]; then missing_for_tests; fi
    if [ "$wanted" = faults ]; then missing_for_faults; fi
  } | tr '\n' ' ' | sed 's/ *$//'
}

missing_for_documents() {
  local known library package
  known=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null)
  while read -r library package; do
    [ -z "$library" ] || grep -qF "$library " <<<"$known" || echo "$package"
  done <<<"$libraries"
  if ! command -v fc-list >/dev/null; then
    printf '%s\n' fontconfig fonts-hosny-amiri fonts-dejavu-core
    return
  fi
  has_font Amiri || echo fonts-hosny-amiri
  has_font 'DejaVu Sans' || echo fonts-dejavu-core
}

missing_for_tests() {
  command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ||
    echo chromium
  { command -v pdftotext && command -v pdftoppm; } >/dev/null || echo poppler-utils
  PATH=$PATH:/usr/sbin command -v nginx >/dev/null || echo nginx-light
}

missing_for_faults() {
  compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null || echo libfaketime
}

has_font() { [ -n "$(fc-list "$1" 2>/dev/null)" ]; }

explain() {
  local effect="invoices cannot be made as PDF, all else runs"
  if [ "$wanted" != run ]; then
    effect="tests that need them (browser, PDF, proxy, clocks) are left out and say so"
    [ "${ALTAYAR_TESTS_COMPLETE:-}" != 1 ] || fail "these Debian packages are missing and every test is asked for: $1"
  fi
  printf 'altayar: please install these Debian packages (apt-get install %s); until then %s\n' "$1" "$effect" >&2
}

main
