"""Commands on the register: partners, features, clients, resource servers."""
