"""What is sold: packages and their dated departures."""
