"""The authorization server's endpoints."""
