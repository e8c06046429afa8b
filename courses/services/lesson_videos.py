"""The video of a lesson: a file that its teacher uploads, or a video that is there already."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction

from courses.models import Lesson
from courses.services.errors import InvalidChange
from courses.services.lessons import is_shared
from videos.conf import manage_policy
from videos.models import AccessLevel, Asset, AssetStatus, Protection, Video
from videos.providers.types import Ticket
from videos.services.errors import InvalidRequest
from videos.services.routing import RouteFacts, find_hosts
from videos.services.uploads import create_upload, replace_file

if TYPE_CHECKING:
    from users.models import User


def upload_lesson_video(
    *,
    lesson: Lesson,
    actor: "User",
    filename: str,
    size_bytes: int,
    content_type: str,
    title: str = "",
    protection: str | None = None,
    quality: str | None = None,
    provider_alias: str = "",
) -> tuple[Video, Asset, Ticket]:
    """Get a ticket for the lesson's file; without `protection` what the lesson calls for is wanted.

    Without `quality` that of the lesson's video stays, and a new one has the host's usual.

    A video that this lesson alone shows gets a new copy, which plays once it is ready; otherwise a video is made, and
    the lesson shows it from now on. Raises what `create_upload` and `replace_file` raise.
    """
    wanted = protection_for(lesson, size_bytes) if protection is None else protection
    file: dict[str, Any] = {"filename": filename, "size_bytes": size_bytes, "content_type": content_type}
    own = _own_video(lesson, actor)
    if own is not None:
        choices = {"protection": wanted, "quality": quality, "provider_alias": provider_alias}
        return _replace(own, actor, title=title, **choices, **file)
    video, asset, ticket = create_upload(
        owner=actor,
        title=title or lesson.title,
        protection=wanted,
        quality=quality or "",
        provider_alias=provider_alias,
        subject=lesson,
        **file,
    )
    _show(lesson, video)
    return video, asset, ticket


def attach_video(*, lesson: Lesson, actor: "User", video_id: UUID) -> Video:
    """Let the lesson show a video that `actor` manages; raises InvalidChange (`video_unknown`)."""
    video = Video.objects.filter(pk=video_id).not_deleted().first()
    if video is None or not manage_policy()(actor, video):
        raise InvalidChange("video_unknown", attr="video_id", detail="You manage no such video.")
    _show(lesson, video)
    return video


def protection_for(lesson: Lesson, size_bytes: int) -> str:
    """What a new video of this lesson should have: `drm` for what is paid for and for exams, where a host gives it.

    Free previews and lessons of free courses ask for nothing.
    """
    course = lesson.part.course
    is_sold = bool(course.price_minor or course.included_in_tier)
    if not lesson.is_exam and (lesson.is_free_preview or not is_sold):
        return ""
    facts = RouteFacts(protection=Protection.DRM, access_level=AccessLevel.ENTITLED, size_bytes=size_bytes)
    try:
        find_hosts(facts, flag="supports_upload")
    except InvalidRequest:
        return ""
    return Protection.DRM


def _own_video(lesson: Lesson, actor: "User") -> Video | None:
    video = lesson.video
    if video is None or is_shared(video, lesson) or not manage_policy()(actor, video):
        return None
    asset = video.get_current_asset()
    return None if asset is not None and asset.status == AssetStatus.DELETED else video


def _replace(video: Video, actor: "User", *, title: str, **choices_and_file: Any) -> tuple[Video, Asset, Ticket]:
    if title and title != video.title:
        video.title = title
        video.save(update_fields=["title", "updated_at"])
    asset, ticket = replace_file(video=video, actor=actor, **choices_and_file)
    return video, asset, ticket


def _show(lesson: Lesson, video: Video) -> None:
    with transaction.atomic():
        lesson.video = video
        lesson.save(update_fields=["video", "updated_at"])
