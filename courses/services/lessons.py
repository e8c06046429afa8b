from typing import TYPE_CHECKING, Any

from django.db import transaction

from courses.models import Lesson
from videos.models import Video
from videos.services.assets import attach_host_id

if TYPE_CHECKING:
    from users.models import User

CHANGEABLE = frozenset({"title", "slug", "description", "position", "part", "is_free_preview", "is_exam"})


def update_lesson(
    *, lesson: Lesson, actor: "User", changes: dict[str, Any], video_service_id: str | None = None
) -> Lesson:
    """Change the fields of CHANGEABLE that `changes` names and, unless None, the video by its id at the host.

    Raises videos.services.errors.InvalidRequest for an id that is malformed or somebody else's.
    """
    unknown = changes.keys() - CHANGEABLE
    if unknown:
        raise ValueError(f"Not to be changed here: {', '.join(sorted(unknown))}")
    with transaction.atomic():
        for name, value in changes.items():
            setattr(lesson, name, value)
        lesson.save(update_fields=[*changes, "updated_at"])
        if video_service_id is not None:
            set_video_service_id(lesson=lesson, actor=actor, video_service_id=video_service_id)
    return lesson


def set_video_service_id(*, lesson: Lesson, actor: "User | None", video_service_id: str) -> Video | None:
    """Let `lesson` show the video that its host knows by this id, and give it; empty: no video.

    `actor` None is the system.

    A video that this lesson alone uses keeps its progress and gets a new copy; a shared one is left to the others.
    Raises videos.services.errors.InvalidRequest (`video_service_id_invalid`, `video_service_id_taken`,
    `video_provider_unknown`).
    """
    if video_service_id == current_host_id(lesson):
        return lesson.video
    with transaction.atomic():
        if video_service_id:
            own = lesson.video if lesson.video and not is_shared(lesson.video, lesson) else None
            asset = attach_host_id(host_id=video_service_id, title=lesson.title, owner=actor, video=own)
            lesson.video = asset.video
        else:
            lesson.video = None
        lesson.save(update_fields=["video", "updated_at"])
    return lesson.video


def current_host_id(lesson: Lesson) -> str:
    """The host's id of the copy that the lesson plays; empty without one."""
    asset = lesson.video.get_current_asset() if lesson.video else None
    return asset.host_id if asset else ""


def is_shared(video: Video, lesson: Lesson) -> bool:
    """Whether another lesson shows the video of this one too."""
    return video.lessons.exclude(pk=lesson.pk).exists()
