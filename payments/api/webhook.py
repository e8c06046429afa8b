import logging

from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from payments import configuration, stripe
from payments.errors import ProviderMisconfigured, ProviderUnavailable, UnknownSession, WebhookRejected
from payments.services.webhooks import handle_event

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 512 * 1024
RETRY_AFTER_S = 10


@csrf_exempt
@require_POST
@transaction.non_atomic_requests
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """Take one delivery of Stripe: 200 done or not for us, 400 not Stripe's, 413 too large, 503 to be sent again.

    Anything else that goes wrong is a fault of ours: it is kept on the event's row and answered 500, and Stripe tries
    again for three days.
    """
    if not configuration.webhook_secrets():
        return _answer("not_configured", 404)
    try:
        event = stripe.verify_event(_body(request), request.headers.get("Stripe-Signature"))
    except RequestDataTooBig:
        return _answer("too_large", 413)
    except UnreadablePostError:
        return _answer("invalid_body", 400)
    except WebhookRejected as error:
        logger.warning("Refused a webhook delivery: %s", error)
        return _answer("invalid_signature", 400)
    try:
        result = handle_event(event)
    except (UnknownSession, ProviderUnavailable, ProviderMisconfigured, OperationalError) as error:
        logger.warning("Event %s has to come again: %s %s", event.id, type(error).__name__, error)
        return _answer("try_again", 503, {"Retry-After": str(RETRY_AFTER_S)})
    return _answer(result.value, 200)


def _answer(result: str, status: int, headers: dict[str, str] | None = None) -> JsonResponse:
    return JsonResponse({"result": result}, status=status, headers=headers)


def _body(request: HttpRequest) -> bytes:
    """The body, unread when it says that it is too long; raises RequestDataTooBig and UnreadablePostError."""
    declared = request.META.get("CONTENT_LENGTH") or "0"
    if not declared.isascii() or not declared.isdecimal():
        raise UnreadablePostError("a length that is no number")
    if int(declared) > MAX_BODY_BYTES or len(request.body) > MAX_BODY_BYTES:
        raise RequestDataTooBig
    return request.body
