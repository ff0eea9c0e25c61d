"""The verbs: one function is one decision and one audit entry, in the caller's transaction."""
