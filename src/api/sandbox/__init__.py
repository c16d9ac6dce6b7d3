"""The sandbox provider's hosted checkout page."""
