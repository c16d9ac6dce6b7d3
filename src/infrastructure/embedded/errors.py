"""What keeps an embedded server from starting, in a sentence that a person can act on."""

from __future__ import annotations


class EmbeddedServerError(Exception):
    """An embedded server cannot be started; the message says why and what to do."""


class AlreadyRunning(EmbeddedServerError):
    """Another process runs the server of this home folder."""
