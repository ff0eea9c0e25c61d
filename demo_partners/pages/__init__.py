"""The Flask front that the demo partners share: what a person sees, and the same as JSON for a script.

- ``partner``     what one partner is: its words and its catalogue
- ``wording``     an outcome in plain words
- ``sessions``    browsers and what is held for each, in memory
- ``site``        one running partner, and the browser that is asking
- ``answers``     one document, as a page or as JSON
- ``connecting``  connect, the callback, disconnect
- ``views``       home, sending, results, what the partner holds
- ``standing``    the partner's own standing, for a person to read
- ``beyond``      asking for what was not granted
- ``app``         the Flask app around them: headers, CSRF, errors
- ``command``     the command line, and serving until told to stop
"""
