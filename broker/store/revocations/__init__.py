"""Revocations as nodes hear of them: who listens, and what the log says to them."""
