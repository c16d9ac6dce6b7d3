"""Routes of vouchers and offers."""
