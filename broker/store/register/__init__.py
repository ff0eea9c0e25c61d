"""The register: partners, features, clients and resource servers as they stand."""
