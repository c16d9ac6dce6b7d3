"""Use cases of the system's settings and of the audit log."""
