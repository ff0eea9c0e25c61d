"""The bench: how fast the broker is, beside a plain server built from the same parts.

``python -m bench`` starts real servers on real databases, loads them over HTTP, prints a table and writes
``bench/results/latest.json``.

- ``load``: the closed-loop HTTP load generator
- ``pairs``: two things measured by turns, so that a noisy machine is noisy for both
- ``servers``, ``databases``: the processes under test and what they keep their data in
- ``world``, ``sides``: the same people, threads and messages on both sides, and the requests made about them
- ``plain/``: the server to compare with, as Authlib's documentation builds one
- ``measures/``: one module per family of figures
- ``catalogue``, ``figures``, ``table``: the figures' names, units and limits, their collection, how they are shown
"""
