"""Processes that work without a request: relay, workers, scheduler, and what they run."""
