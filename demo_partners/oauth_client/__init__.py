"""The OAuth client that the demo partners share: Authlib's, on httpx2, with what a careful partner adds to it.

Authlib's ``httpx_client.OAuth2Client`` speaks to the token endpoint and puts the bearer token on calls. Its Flask
integration is left aside: it keeps the PKCE verifier in the browser's cookie, reads an error response before it has
looked at ``state``, and does not check ``iss`` (RFC 9207).

- ``problems``       an error body or challenge as a value
- ``outcomes``       what an answer means for this partner's access
- ``authorization``  the authorization request, and whether a response to it may be believed
- ``metadata``       the server's metadata (RFC 8414)
- ``tokens``         the token endpoint
- ``connection``     one holder's tokens, renewed by one thread at a time
- ``palaver``        all of them together: the calls a partner makes
"""
