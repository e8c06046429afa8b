"""What can go wrong when somebody pays, in this project's own words. Nothing here knows of HTTP or of the SDK."""


class PaymentsError(Exception):
    """The root of all that `payments` raises."""


class ProviderUnavailable(PaymentsError):
    """The provider did not answer, or asked for patience; the same request may be sent again.

    `is_replayed` tells that a failure was the provider's saved answer: only a new idempotency key gets another one.
    """

    def __init__(self, message: str, *, retry_after_s: int = 30, is_replayed: bool = False) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.is_replayed = is_replayed


class ProviderMisconfigured(PaymentsError):
    """The provider refuses our key, or the settings forbid to use it."""


class ProviderRejected(PaymentsError):
    """The provider understood the request and refused it; sending it again will not help."""

    def __init__(self, message: str, *, code: str = "", param: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.param = param


class IdempotencyConflict(ProviderRejected):
    """The idempotency key was used before, with another content."""


class ObjectNotFound(ProviderRejected):
    """The provider knows nothing of this id."""


class SessionNotOpen(ProviderRejected):
    """Only an open checkout session can be expired."""


class SessionNotFound(ObjectNotFound):
    """The provider knows no checkout session of this id."""


class WebhookRejected(PaymentsError):
    """The delivery is not a signed event of the provider."""


class UnknownSession(PaymentsError):
    """A checkout session that carries the name of this installation, but belongs to no payment known here."""


class ForeignSession(PaymentsError):
    """A checkout session of another installation or integration on the same account."""


class EmailUnverified(PaymentsError):
    """Buying takes a verified e-mail address."""


class AlreadyEnrolled(PaymentsError):
    """The student owns the course."""


class AlreadyPaid(PaymentsError):
    """The open order turned out to be paid."""


class PaymentProcessing(PaymentsError):
    """The student has paid; the bank has not sent the money yet."""


class TooManyOpenCheckouts(PaymentsError):
    """The student has as many unpaid orders as are allowed at once."""


class Overtaken(PaymentsError):
    """Another answer of the provider was applied while this one was on its way; ask again."""


class RefundRefused(PaymentsError):
    """The money cannot be given back; `code`: `nothing_left`, `too_much`, `not_paid`, `disputed` or the provider's."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class PaymentUnderReview(PaymentsError):
    """The student has paid, but what came does not fit the order: a person looks at it."""


class NoReceipt(PaymentsError):
    """Nothing was charged for the order, or the provider shows no receipt of it."""
