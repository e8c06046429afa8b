"""The door for hosts' hooks: a plain view over the raw body."""

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from videos.providers.exceptions import ProviderMisconfigured, UnknownProvider, UnsupportedOperation, WebhookRejected
from videos.providers.registry import providers
from videos.services.hooks import count_refusal, take_events

BODY_MAX_BYTES = 256 * 1024


@csrf_exempt
@require_POST
def webhook(request: HttpRequest, alias: str) -> HttpResponse:
    """Take a hook of the host `alias`: 404 for a door that is not set up, 400 for a hook that proves nothing."""
    try:
        provider = providers[alias]
        body = _body(request)
        events = provider.parse_webhook(headers=dict(request.headers), query=request.GET.dict(), body=body)
    except (UnknownProvider, ProviderMisconfigured, UnsupportedOperation) as error:
        raise Http404 from error
    except WebhookRejected as error:
        count_refusal(alias, error.code)
        if error.code == "unconfigured":
            raise Http404 from error
        return _rejected(error.code)
    except RequestDataTooBig:
        count_refusal(alias, "too_large")
        return _rejected("too_large")
    except UnreadablePostError:
        return _rejected("body_incomplete")
    take_events(alias, events, body)
    return JsonResponse({"received": len(events)})


def _body(request: HttpRequest) -> bytes:
    body = request.read(BODY_MAX_BYTES + 1)
    if len(body) > BODY_MAX_BYTES:
        raise RequestDataTooBig
    return body


def _rejected(code: str) -> JsonResponse:
    entry = {"code": code, "detail": "This hook was not accepted.", "attr": None}
    return JsonResponse({"type": "client_error", "errors": [entry]}, status=400)
