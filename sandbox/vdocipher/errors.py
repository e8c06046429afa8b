class BadRequest(ValueError):
    """A request the API refuses with 400 and this message."""


class UnknownThing(LookupError):
    """A file or a folder that does not exist; the message goes into the 404."""
