"""Reelwise: recommends a show of its catalogue in a Palaver conversation."""
