"""Northbank: sends a notice of a transfer into a Palaver conversation."""
