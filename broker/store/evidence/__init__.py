"""Evidence: the audit log, access records, and the shutdowns with what they ended."""
