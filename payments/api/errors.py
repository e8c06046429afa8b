"""What each failure of the services says over HTTP. Codes are part of the contract; details never repeat Stripe's."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from rest_framework import status
from rest_framework.exceptions import APIException, NotFound, PermissionDenied

from payments import errors

logger = logging.getLogger(__name__)


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT


class BadGateway(APIException):
    status_code = status.HTTP_502_BAD_GATEWAY


class Unavailable(APIException):
    """Try again after `wait` seconds, which becomes `Retry-After`."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE

    def __init__(self, detail: str, code: str, wait: int) -> None:
        super().__init__(detail, code)
        self.wait = wait


_CONFLICTS: dict[type[errors.PaymentsError], tuple[str, str]] = {
    errors.AlreadyEnrolled: ("already_enrolled", "You have this course already."),
    errors.AlreadyPaid: ("already_paid", "You have paid for this course already."),
    errors.PaymentProcessing: ("payment_processing", "Your bank is still sending the payment for this course."),
    errors.PaymentUnderReview: (
        "payment_under_review",
        "You have paid already; we are looking at the payment.",
    ),
    errors.TooManyOpenCheckouts: ("too_many_open_checkouts", "Finish one of your open payments first."),
}


@contextmanager
def api_errors() -> Iterator[None]:
    """Turn what the services raise into API errors."""
    try:
        yield
    except errors.PaymentsError as error:
        raise _as_api_error(error) from error


def _as_api_error(error: errors.PaymentsError) -> APIException:
    conflict = _CONFLICTS.get(type(error))
    if conflict:
        code, detail = conflict
        return Conflict(detail, code)
    if isinstance(error, errors.EmailUnverified):
        return PermissionDenied("Confirm your e-mail address before you buy.", "email_unverified")
    if isinstance(error, errors.NoReceipt):
        return NotFound("There is no receipt of this order.", "no_receipt")
    if isinstance(error, errors.ProviderRejected):
        logger.error("Stripe refused a request: %s (parameter %s)", error, error.param)
        return BadGateway("The payment could not be prepared.", "provider_rejected")
    if isinstance(error, errors.ProviderUnavailable):
        logger.warning("Stripe is unavailable: %s", error)
        return _unavailable(error.retry_after_s)
    logger.error("Payments do not work: %s", error)
    return _unavailable(60)


def _unavailable(wait_s: int) -> Unavailable:
    return Unavailable("The payment service cannot be reached. Try again shortly.", "provider_unavailable", wait_s)
