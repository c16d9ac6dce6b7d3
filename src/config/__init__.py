"""Configuration, read from the environment once and validated before anything starts."""
