"""broker doctor: what is unsafe or unusual about a broker, in its configuration and in its database."""
