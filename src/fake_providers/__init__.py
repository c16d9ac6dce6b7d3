"""Payment providers on loopback, for the demo and the tests; they take no money, and production refuses them."""
