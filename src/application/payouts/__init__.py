"""What partners earn, and how it is paid to them."""
