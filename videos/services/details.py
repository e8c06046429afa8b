"""What people say about a video, as opposed to what its host says: title, access, tags, metadata."""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import models, transaction

from videos.models import AccessLevel, Tag, Video
from videos.providers import reading
from videos.services.errors import InvalidRequest

TAGS_MAX = 20
METADATA_MAX_BYTES = 16 * 1024
METADATA_MAX_DEPTH = 20
_TAG = re.compile(r"[a-z0-9_-]{1,50}")


def update_video(*, video: Video, tags: Iterable[str] | None = None, **changes: Any) -> Video:
    """Change fields of a video, and its tags when they are given.

    Raises InvalidRequest: `required_tier_missing`, `tag_invalid`, `metadata_invalid`, `metadata_too_large`.
    """
    for name, value in changes.items():
        setattr(video, name, value)
    check_details(access_level=video.access_level, required_tier=video.required_tier, metadata=video.metadata)
    names = None if tags is None else clean_tags(tags)
    with transaction.atomic():
        video.save(update_fields=[*changes, "updated_at"])
        if names is not None:
            set_tags(video, names)
    return video


def check_details(*, access_level: str, required_tier: str, metadata: Mapping[str, Any] | None) -> None:
    """Let details pass that a video can have; raises InvalidRequest as `update_video`."""
    if access_level == AccessLevel.TIER and not required_tier:
        raise InvalidRequest(
            "required_tier_missing", attr="required_tier", detail="Name the tier that this video is for."
        )
    if not _can_be_kept(metadata or {}):
        raise InvalidRequest(
            "metadata_invalid",
            attr="metadata",
            detail=f"Metadata has {METADATA_MAX_DEPTH} levels at most, no NUL, no half characters and no infinity.",
        )
    if len(json.dumps(metadata or {}).encode()) > METADATA_MAX_BYTES:
        raise InvalidRequest(
            "metadata_too_large", attr="metadata", detail=f"Metadata is limited to {METADATA_MAX_BYTES} bytes."
        )


def clean_tags(names: Iterable[str]) -> list[str]:
    """Tags in lower case, each once, in order; raises InvalidRequest (`tag_invalid`)."""
    tags = list(dict.fromkeys(name.strip().lower() for name in names))
    if len(tags) > TAGS_MAX or not all(_TAG.fullmatch(tag) for tag in tags):
        raise InvalidRequest(
            "tag_invalid",
            attr="tags",
            detail=f"Up to {TAGS_MAX} tags of letters a-z, digits, - and _, 50 characters each.",
        )
    return tags


def find_subject(written: str) -> tuple[ContentType, str]:
    """The type and key in `app_label.model:key`, such as `courses.course:7`; raises InvalidRequest (`subject_invalid`).

    Whether there is such an object is not looked up.
    """
    name, _, key = written.partition(":")
    try:
        model = apps.get_model(name)
        subject_id = _key_of(model, key)
    except (LookupError, ValueError, ValidationError) as error:
        raise InvalidRequest(
            "subject_invalid", attr="subject", detail="This is no app_label.model:id of an object of this site."
        ) from error
    return ContentType.objects.get_for_model(model), subject_id


def _key_of(model: type[models.Model], written: str) -> str:
    primary_key: models.Field[Any, Any] = model._meta.pk
    if not written:
        raise ValueError("A key is missing.")
    return str(primary_key.to_python(written))


def set_tags(video: Video, names: Sequence[str]) -> None:
    """Give the video these tags, already clean, in place of those it had; needs a transaction."""
    # In one order, so that two who bring the same new tags wait for one another instead of each for the other.
    Tag.objects.bulk_create([Tag(name=name) for name in sorted(names)], ignore_conflicts=True)
    video.tags.set(Tag.objects.filter(name__in=names))


def _can_be_kept(value: Any, levels: int = METADATA_MAX_DEPTH) -> bool:
    """Whether every database keeps this JSON value, and every later reader can follow it."""
    match value:
        case str():
            return bool(reading.storable(value) == value)
        case float():
            return math.isfinite(value)
        case Mapping():
            return levels > 0 and all(_can_be_kept(item, levels - 1) for pair in value.items() for item in pair)
        case list():
            return levels > 0 and all(_can_be_kept(item, levels - 1) for item in value)
    return True
