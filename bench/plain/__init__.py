"""The server to compare with: Flask, Authlib and SQLAlchemy's ORM, put together as Authlib's documentation does.

It is meant to be what a capable team would have after a week: mixins for the models, Authlib's ready-made functions
for clients, tokens and bearer validation, sensible indexes, nothing slowed and nothing tuned. It knows no features,
no grants and no shutdown; it stores tokens in the clear, as the documented models do.
"""
