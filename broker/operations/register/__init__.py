"""Verbs on the register: partners, features, clients, resource servers; what widens, and what a file proposes."""
