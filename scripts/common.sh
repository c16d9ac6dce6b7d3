# shellcheck shell=bash
# What the scripts share. Sourced from the project's folder.

say() { printf '\033[2m==>\033[0m %s\n' "$*" >&2; }
[ -t 2 ] || say() { printf '==> %s\n' "$*" >&2; }

fail() {
  printf 'altayar: %s\n' "$*" >&2
  exit 1
}

# Install packages of Debian (or its children) as root, or through a sudo that asks for nothing.
# Says nothing and returns 1 where we may not.
install_debian_packages() {
  local as_root=()
  command -v apt-get >/dev/null || return 1
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null && sudo -n true 2>/dev/null || return 1
    as_root=(sudo -n)
  fi
  say "installing Debian packages: $*"
  "${as_root[@]}" apt-get -q=2 -o DPkg::Lock::Timeout=120 update >&2 || return 1
  # RUNLEVEL=1: what comes with a service (nginx) is installed and not started.
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -q=2 -y -o DPkg::Lock::Timeout=300 \
    -o Dpkg::Use-Pty=0 install --no-install-recommends "$@" >/dev/null || return 1
}
