"""Revocations reach every node: registering, hearing of them, and waiting until nobody can say yes."""
