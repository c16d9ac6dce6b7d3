"""Pictures: what people send, cleaned, and codes that we draw."""
