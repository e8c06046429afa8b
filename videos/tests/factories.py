"""Rows for tests, plain functions: `make_video(title="…")`."""

import itertools

from django.contrib.auth import get_user_model
from rest_framework_simplejwt.tokens import AccessToken

from videos.models import AccessLevel, Asset, AssetStatus, Protection, Video

_number = itertools.count(1)


def make_user(**overrides):
    """A user of whatever model the project has, without a password that anyone knows."""
    number = next(_number)
    values = {"username": f"viewer-{number}", "email": f"viewer-{number}@example.test"} | overrides
    return get_user_model().objects.create_user(**values)


def bearer(user) -> str:
    return str(AccessToken.for_user(user))


def make_video(*, asset: dict | bool = True, **overrides) -> Video:
    """A video that signed-in people may watch, with a ready asset unless `asset` is False (a dict overrides it)."""
    values = {"title": f"Video {next(_number)}", "access_level": AccessLevel.MEMBERS} | overrides
    video = Video.objects.create(**values)
    if asset:
        make_asset(video=video, **(asset if isinstance(asset, dict) else {}))
    return video


def make_asset(*, video: Video | None = None, **overrides) -> Asset:
    """A ready asset at the alias `vdocipher`."""
    values = {
        "provider": "vdocipher",
        "host_id": f"{next(_number):032x}",
        "status": AssetStatus.READY,
        "protection": Protection.DRM,
        "duration_s": 60.0,
        "next_poll_at": None,
    } | overrides
    return Asset.objects.create(video=video or make_video(asset=False), **values)


def host_video(sandbox, *, status: str = "ready", asset: dict | None = None, **overrides) -> Video:
    """A video whose current asset really exists at the stand-in; the asset is ready unless `asset` overrides it."""
    host_id = sandbox.add_video(title="At the host", status=status)
    return make_video(asset={"host_id": host_id} | (asset or {}), **overrides)
