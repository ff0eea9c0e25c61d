"""Three partner apps of Palaver, each a Flask app in a process of its own that knows the broker by HTTP alone.

- ``music_sharing``    TuneLoop shares a track into a conversation
- ``recommendations``  Reelwise recommends a show
- ``bank``             Northbank sends a transfer notice
- ``oauth_client``     what they share towards Palaver: connecting, tokens, calls, and what an answer means
- ``pages``            what they share towards people: pages, sessions, the command that serves them

Each partner keeps what is its own: name, words, colours, catalogue, and what it posts. All of them ask for
``messages:write`` and nothing else.
"""
