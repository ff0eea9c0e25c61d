"""The web: the front of the authorization server, and the pages for people."""
