"""The address of a video that everybody may watch, and the HTML that shows it elsewhere."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.html import format_html

from videos import conf
from videos.models import AccessLevel, Video
from videos.services.errors import AccessDenied, NotShareable

if TYPE_CHECKING:
    from videos.access import Person

_SHAREABLE = (AccessLevel.PUBLIC, AccessLevel.UNLISTED)


@dataclass(frozen=True, kw_only=True)
class Share:
    """`is_public` says whether the video may also be listed; an unlisted one is for those who have the address."""

    title: str
    url: str
    embed_html: str
    is_public: bool


def share_of(video: Video, *, user: "Person") -> Share:
    """How `user` may pass `video` on. Raises AccessDenied, or NotShareable unless the video is public or unlisted."""
    decision = conf.access_policy()(user, video)
    if not decision.allowed:
        raise AccessDenied(decision.code, tier=decision.tier)
    if video.access_level not in _SHAREABLE:
        raise NotShareable()
    return Share(
        title=video.title,
        url=conf.video_page_url().replace("{id}", str(video.pk)),
        embed_html=_embed_html(conf.video_embed_url().replace("{id}", str(video.pk)), video.title),
        is_public=video.access_level == AccessLevel.PUBLIC,
    )


def _embed_html(url: str, title: str) -> str:
    return format_html(
        '<iframe src="{}" title="{}" width="640" height="360" style="border:0" '
        'allow="autoplay; encrypted-media; fullscreen; picture-in-picture" allowfullscreen></iframe>',
        url,
        title,
    )
