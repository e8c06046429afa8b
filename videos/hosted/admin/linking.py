from django.db.models import CharField, OuterRef, Subquery, UUIDField, Value
from django.db.models.functions import Cast, Replace
from django.urls import reverse
from django.utils.html import format_html

from videos.models import Asset


def with_video_id(rows, path="video__"):
    """The rows with `video_id_in_videos`, the id of the video that their copy belongs to, in the same statement."""
    # A UUID is told with dashes on PostgreSQL, and kept without them on SQLite.
    host_id = Replace(Cast(OuterRef(f"{path}public_id"), CharField()), Value("-"), Value(""))
    of_copy = Asset.objects.filter(provider=OuterRef(f"{path}alias"), host_id=host_id)
    return rows.annotate(video_id_in_videos=Subquery(of_copy.values("video_id")[:1], output_field=UUIDField()))


def video_link(row, copy):
    """The copy's title, leading to the page of its video."""
    if row.video_id_in_videos is None:
        return str(copy)
    address = reverse("admin:videos_video_change", args=[row.video_id_in_videos])
    return format_html('<a href="{}" style="text-decoration:underline">{}</a>', address, copy)
