"""The PostgreSQL and Redis-compatible servers that run below `ALTAYAR_HOME` when no address is given."""
