"""The broker in the bench's world: its register, its readers, and its guard taken out for comparison."""
