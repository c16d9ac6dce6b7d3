"""The few pages that this installation shows to people itself."""
