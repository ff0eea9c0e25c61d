"""People's accounts: logging in, passwords, and how often in a minute."""
