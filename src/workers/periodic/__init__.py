"""What each periodic job does, by context; `workers/jobs.py` says when."""
