"""What keeps a server from being used, in a sentence that a person can act on."""

from __future__ import annotations


class EmbeddedServerError(Exception):
    """An embedded server cannot be started; the message says why and what to do."""


class AlreadyRunning(EmbeddedServerError):
    """Another process runs the server of this home folder."""


class ServerRefused(Exception):
    """A server that the settings name cannot be used; the message names the setting and the reason."""
