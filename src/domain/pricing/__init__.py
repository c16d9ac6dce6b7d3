"""How a price is made: a list of lines whose sum is the total."""
