"""Hosts of a network that exists on this machine alone: namespaces behind one bridge, gone when the block ends."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

NETWORK = "10.213.77"
SERVERS = f"{NETWORK}.1"
"""Where the machine itself is found from every host."""


@dataclass(frozen=True, slots=True)
class Host:
    """One host; it shares files with the others, as any process here, and no network but the bridge."""

    namespace: str
    address: str

    def command(self, *words: str) -> list[str]:
        """What runs this command on the host."""
        return ["ip", "netns", "exec", self.namespace, *words]


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def may_make_hosts() -> bool:
    """Whether we may make namespaces here; asked by making one."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"altayar-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode == 0
    if made:
        _ip("netns", "delete", name)
    return made


@contextlib.contextmanager
def hosts(*names: str) -> Iterator[dict[str, Host]]:
    """A host for each name, with an address of its own."""
    bridge = f"alt{os.getpid()}"
    with contextlib.ExitStack() as stack:
        _ip("link", "add", bridge, "type", "bridge")
        stack.callback(_ip, "link", "delete", bridge)
        _ip("address", "add", f"{SERVERS}/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        yield {name: _join(stack, bridge, name, 10 + number) for number, name in enumerate(names)}


def _join(stack: contextlib.ExitStack, bridge: str, name: str, number: int) -> Host:
    host = Host(f"{bridge}-{name}", f"{NETWORK}.{number}")
    _ip("netns", "add", host.namespace)
    stack.callback(_ip, "netns", "delete", host.namespace)
    plug = f"{bridge}p{number}"
    _ip("link", "add", plug, "type", "veth", "peer", "name", "eth0", "netns", host.namespace)
    _ip("link", "set", plug, "master", bridge, "up")
    _ip("-n", host.namespace, "address", "add", f"{host.address}/24", "dev", "eth0")
    for device in ("lo", "eth0"):
        _ip("-n", host.namespace, "link", "set", device, "up")
    return host
