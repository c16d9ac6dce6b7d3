"""Running the company's system: its settings, and the record of what staff did."""
