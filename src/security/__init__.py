"""Passwords, tokens, permissions, encryption."""
