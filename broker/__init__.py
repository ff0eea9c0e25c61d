"""A permission broker: OAuth grants that are bound to a feature, and end with it.

The rooms, from the ground up; imports go down only:

- ``domain``       the rules: pure functions and values, no I/O, no clock, no randomness
- ``settings``     configuration, read and validated once
- ``store``        the memory: the only room that speaks SQL
- ``operations``   the verbs: one function is one decision and one audit entry
- ``enforcement``  the guard that a resource server puts before its data (imports ``domain`` alone)
- ``network``      Palaver, the mock social network: people, threads, the messages API
- ``web``          the authorization server's front and the pages for people
- ``cli``          the operator's front

``web/app.py`` is the composition root: the one place that knows every room.
"""
