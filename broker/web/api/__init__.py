"""What programs call beside OAuth: a client's own standing, and the operator API."""
