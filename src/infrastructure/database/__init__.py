"""PostgreSQL: tables, transactions, repositories, queries."""
