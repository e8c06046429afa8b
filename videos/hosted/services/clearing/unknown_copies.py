"""Copies that never got a file and that `videos` does not know: their process died before it wrote the Asset's row."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet, TextField, Value
from django.db.models.functions import Cast, Replace

from videos.hosted.models import HostedVideo, Upload
from videos.models import Asset

KEPT = timedelta(days=1)


def unknown_copies(alias: str, now: datetime) -> QuerySet[HostedVideo]:
    """Rows of a host that may be deleted: a day old, empty, and with nothing left of their uploads."""
    # PostgreSQL writes a UUID with hyphens, SQLite keeps its hex.
    host_id = Replace(Cast(OuterRef("public_id"), TextField()), Value("-"), Value(""))
    known = Asset.objects.filter(provider=alias, host_id=host_id)
    sent = Upload.objects.filter(video=OuterRef("pk"), emptied_at=None)
    empty = HostedVideo.objects.filter(alias=alias, source_key="", source_bytes=None, transcodes=None, packages=None)
    return empty.filter(~Exists(known), ~Exists(sent), keys=None, created_at__lt=now - KEPT)
