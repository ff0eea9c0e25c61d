"""Palaver, the mock social network: people, threads, and the API that apps use."""
