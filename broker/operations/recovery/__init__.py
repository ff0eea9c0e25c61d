"""An old backup that was restored: noticed, refused, and recovered from."""
