"""The door for hosts' hooks: a plain view over the raw body."""

import logging

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from videos.providers.exceptions import ProviderMisconfigured, UnknownProvider, UnsupportedOperation, WebhookRejected
from videos.providers.registry import providers
from videos.services.hooks import take_event

logger = logging.getLogger(__name__)

BODY_MAX_BYTES = 256 * 1024


@csrf_exempt
@require_POST
def webhook(request: HttpRequest, alias: str) -> HttpResponse:
    """Take a hook of the host `alias`: 404 for a door that is not set up, 400 for a hook that proves nothing."""
    try:
        events = providers[alias].parse_webhook(
            headers=dict(request.headers), query=request.GET.dict(), body=_body(request)
        )
    except (UnknownProvider, ProviderMisconfigured, UnsupportedOperation) as error:
        raise Http404 from error
    except WebhookRejected as error:
        if error.code == "unconfigured":
            raise Http404 from error
        logger.warning("A hook of %s was rejected: %s", alias, error.code)
        return _rejected(error.code)
    except RequestDataTooBig:
        return _rejected("too_large")
    for event in events:
        take_event(alias, event)
    return JsonResponse({"received": len(events)})


def _body(request: HttpRequest) -> bytes:
    body = request.read(BODY_MAX_BYTES + 1)
    if len(body) > BODY_MAX_BYTES:
        raise RequestDataTooBig
    return body


def _rejected(code: str) -> JsonResponse:
    entry = {"code": code, "detail": "This hook was not accepted.", "attr": None}
    return JsonResponse({"type": "client_error", "errors": [entry]}, status=400)
