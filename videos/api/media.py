"""What a browser loads beside the video, without headers: by a signed address, or by whoever may watch."""

from uuid import UUID

from django.http import Http404
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from videos import conf
from videos.api.errors import SpeaksErrors
from videos.models import Asset, Video
from videos.services.addresses import require_signature
from videos.services.errors import AccessDenied

SIGNATURE = "signature"


class MediaView(SpeaksErrors):
    permission_classes = [AllowAny]

    def video_to_show(self, request: Request, video_id: UUID, subject: str) -> Video:
        """The video, once the address is signed for this subject and its query, or this person may watch or manage."""
        sent = request.query_params.dict()
        query = {name: value for name, value in sent.items() if name != SIGNATURE}
        signature = sent.get(SIGNATURE)
        if signature is not None:
            require_signature(subject, query, signature)
        video = Video.objects.to_play(video_id)
        if video is None:
            raise Http404
        if signature is None:
            self._require_access(request, video)
        return video

    def _require_access(self, request: Request, video: Video) -> None:
        decision = conf.access_policy()(request.user, video)
        if decision.allowed or conf.manage_policy()(request.user, video):
            return
        if not request.user.is_authenticated:
            self.permission_denied(request)
        raise AccessDenied(decision.code, tier=decision.tier)


def current_copy(video: Video) -> Asset:
    """The copy that is played; raises Http404 when there is none."""
    asset = video.get_current_asset()
    if asset is None:
        raise Http404
    return asset


def redirect_to(url: str, *, max_age_s: int) -> Response:
    return Response(status=302, headers={"Location": url, "Cache-Control": f"private, max-age={max_age_s}"})
