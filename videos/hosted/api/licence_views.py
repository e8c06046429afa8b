"""The doors of the licence server: plain views over raw bodies, for players of any origin.

Authorised by a bearer alone: no log-in, no cookie, so that there is nothing to forge across sites and native players
work as browsers do. Whoever is refused a licence reads one and the same body; a player finds why in `X-Licence-Error`.
"""

from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from videos.api.context import client_ip
from videos.api.errors import STATUS_BY_ERROR
from videos.hosted.api.secret_addresses import SecretAddressView
from videos.hosted.licences.raw_key import RawKey
from videos.hosted.seams.licence import LicenceAnswer
from videos.hosted.services.licence_server import licensing
from videos.services.errors import ChallengeMalformed, LicenceRefused, VideosError

ERROR_HEADER = "X-Licence-Error"
DEVICE_HEADER = "X-Device-Id"


@method_decorator(csrf_exempt, name="dispatch")
class LicenceView(View):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, system: str) -> HttpResponse:
        """A licence of this DRM system: the key system's own request in, its own answer out."""
        try:
            answer = licensing.issue(
                system=system,
                token=_bearer(request),
                body=_body(request),
                content_type=request.content_type or "",
                device_id=request.headers.get(DEVICE_HEADER, ""),
                ip=client_ip(request),
            )
        except VideosError as error:
            return _refusal(error)
        return _licence(answer)


class PlaylistKeyView(SecretAddressView):
    http_method_names = ["get"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """The 16 bytes that a playlist's `EXT-X-KEY` leads to; the address is good once."""
        try:
            answer = licensing.issue_playlist_key(system=RawKey.system, token=token, ip=client_ip(request))
        except VideosError as error:
            return _refusal(error)
        return _licence(answer)


def _bearer(request: HttpRequest) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _body(request: HttpRequest) -> bytes:
    """No more than shows that it is too large."""
    try:
        return request.read(licensing.BODY_MAX_BYTES + 1)
    except UnreadablePostError as error:
        raise ChallengeMalformed("body_incomplete") from error


def _licence(answer: LicenceAnswer) -> HttpResponse:
    return HttpResponse(answer.body, content_type=answer.content_type, headers={"Cache-Control": "no-store"})


def _refusal(error: VideosError) -> HttpResponse:
    status = STATUS_BY_ERROR[type(error)]
    code = LicenceRefused.code if status == 403 else error.code
    kind = "server_error" if status >= 500 else "validation_error" if status == 400 else "client_error"
    entry = {"code": code, "detail": error.detail, "attr": None}
    response = JsonResponse({"type": kind, "errors": [entry]} | error.extra_json(), status=status)
    response["Cache-Control"] = "no-store"
    response[ERROR_HEADER] = error.code
    if error.retry_after_s is not None:
        response["Retry-After"] = str(error.retry_after_s)
    return response
