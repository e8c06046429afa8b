"""The record of starts that were refused."""

import logging
from typing import TYPE_CHECKING

from django.db import DatabaseError, transaction

from videos.models import RefusedStart, Video, Viewer

if TYPE_CHECKING:
    from videos.access import Person

logger = logging.getLogger(__name__)


def note_refused_start(*, user: "Person", video: Video, code: str, device_id: str, ip: str) -> None:
    """Write down who was refused what and why; a record that cannot be written is logged, and refuses nobody more."""
    try:
        with transaction.atomic():
            viewer = Viewer.objects.get_or_create(user_id=user.pk)[0] if user.is_authenticated else None
            RefusedStart.objects.create(
                viewer=viewer, video=video, code=code[:64], device_id=device_id[:64], ip=ip or None
            )
    except DatabaseError:
        logger.exception("A refused start of video %s (%s) could not be written down.", video.pk, code)
