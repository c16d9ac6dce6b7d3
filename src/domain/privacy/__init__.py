"""Personal data: consents, exports, erasure."""
