"""The package's own tests are collected where it is installed, and nowhere else."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("nile_pay") else ["suite"]
