"""Adapters: the tools behind the ports."""
