"""Vendors and agents: who they are, what is agreed with them, and where their money goes."""
