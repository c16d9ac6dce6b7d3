"""Rows of vendors and agents."""
