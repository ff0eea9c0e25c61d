"""Commands on what was permitted and what was done: grants, access records, the audit log."""
