"""Where payment providers call."""
