"""The HTTP interface: views parse, call, answer."""
