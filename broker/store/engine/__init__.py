"""The two databases: connections, transactions, statements, and what failures mean."""
