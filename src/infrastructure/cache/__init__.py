"""What is kept in Redis because losing it costs little."""
