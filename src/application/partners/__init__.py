"""Onboarding of vendors and agents."""
