"""What vendors and agents earn, and how it is paid to them."""
