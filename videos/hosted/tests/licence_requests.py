"""Viewings of an encrypted video, and what their players ask for."""

import base64
import json
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.test import Client
from django.utils import timezone

from videos.hosted.hosts import host
from videos.hosted.models import HostedVideo, Licence, Package, PackageState, Scheme
from videos.hosted.services.licence_server import licensing
from videos.hosted.tests.making import KID, make_hosted_video, make_key
from videos.models import AssetStatus, PlaybackSession, SessionState
from videos.services.tokens import session_token
from videos.tests.viewings import make_viewer, make_viewing

CLEARKEY = "/api/videos/licences/clearkey/"
DEVICE = "device-0001"
client = Client()


@dataclass(frozen=True)
class Viewing:
    session: PlaybackSession
    package: Package

    def drm(self) -> dict:
        return licensing.drm_member(
            session_id=self.session.public_id,
            package=self.package,
            device_id=self.session.device_id,
            host=host("hosted"),
        )

    def token(self) -> str:
        """A new one for the first licence."""
        return self.drm()["token"]

    def renewal_token(self) -> str:
        return session_token(self.session.public_id)

    def playlist_key_url(self) -> str:
        return licensing.playlist_key_url(
            session_id=self.session.public_id, package=self.package, device_id=self.session.device_id
        )


def make_package(*, scheme=Scheme.CBCS, kid=KID, state=PackageState.PUBLISHED, **values) -> Package:
    """The rows of a package of a video; there are no files."""
    ours, _ = make_hosted_video(status=AssetStatus.READY)
    package = Package.objects.create(video=ours, key=make_key(ours, kid=kid), scheme=scheme, state=state, **values)
    HostedVideo.objects.filter(pk=ours.pk).update(package=package)
    return package


def make_player(*, package=None, user=None, viewer=None, **values) -> Viewing:
    """A session that plays `package`, on `DEVICE`; of an anonymous viewer without a user."""
    package = package or make_package()
    viewer = viewer or (make_viewer(user=user, device_key=None) if user else make_viewer())
    given = {
        "state": SessionState.ISSUED,
        "device_id": DEVICE,
        "lease_expires_at": timezone.now() + timedelta(seconds=45),
        "played": (),
    } | values
    video = package.video.get_asset().video
    return Viewing(session=make_viewing(video=video, viewer=viewer, **given), package=package)


def ask(token, *, kids=(KID,), device=DEVICE, body=None, url=CLEARKEY, **headers):
    """What the licence server answers to a player's ClearKey request."""
    body = json.dumps({"kids": [base64url(kid) for kid in kids], "type": "temporary"}) if body is None else body
    sent = {"Authorization": f"Bearer {token}", "X-Device-Id": device} | headers
    return client.post(url, body, content_type="application/json", headers=sent)


def refusal(answer) -> tuple[int, str]:
    return answer.status_code, answer.headers.get("X-Licence-Error", "")


def results() -> list[str]:
    """What the record says, oldest first."""
    return list(Licence.objects.order_by("pk").values_list("result", flat=True))


def base64url(kid: UUID) -> str:
    return base64.urlsafe_b64encode(kid.bytes).decode().rstrip("=")
