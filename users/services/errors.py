class UsernameTaken(Exception):
    """Another account has this username, or holds it."""


class PasswordIncorrect(Exception):
    """The present password that was given is not the account's."""


class CredentialsChanged(Exception):
    """The account was closed or got another password after its credentials had been checked."""


class LinkProblem(Exception):
    """A mailed link that does not work; `code` is part of the API."""

    code = "token_invalid"
    detail = "This link does not work. Ask for a new one."


class LinkInvalid(LinkProblem):
    pass


class LinkExpired(LinkProblem):
    code = "token_expired"
    detail = "This link is too old. Ask for a new one."


class LinkUsed(LinkProblem):
    code = "token_used"
    detail = "This link was used already: your address is verified."
