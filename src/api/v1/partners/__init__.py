"""Routes of vendors and agents."""
