from django.db import migrations

VIEWERS_AT_ONCE = 500


def keep_the_place_of_earlier_viewings(apps, schema_editor):
    """Progress for each viewer and video, from the latest viewing with a position: no place is lost."""
    Viewer = apps.get_model("videos", "Viewer")
    alias = schema_editor.connection.alias
    last = 0
    while True:
        rows = Viewer.objects.using(alias).filter(pk__gt=last).order_by("pk")
        viewers = list(rows.values_list("pk", flat=True)[:VIEWERS_AT_ONCE])
        if not viewers:
            return
        keep_places(apps, alias, viewers[0], viewers[-1])
        last = viewers[-1]


def keep_places(apps, alias, first, last):
    PlaybackSession = apps.get_model("videos", "PlaybackSession")
    VideoProgress = apps.get_model("videos", "VideoProgress")
    sessions = PlaybackSession.objects.using(alias).filter(viewer_id__gte=first, viewer_id__lte=last, position_s__gt=0)
    columns = ("viewer_id", "video_id", "position_s", "is_counted", "created_at", "played_at", "asset__duration_s")
    places = {}
    for viewer_id, video_id, position_s, is_counted, created_at, played_at, duration_s in (
        sessions.order_by("pk").values_list(*columns).iterator(chunk_size=2000)
    ):
        earlier = places.get((viewer_id, video_id))
        places[viewer_id, video_id] = VideoProgress(
            viewer_id=viewer_id,
            video_id=video_id,
            position_s=position_s,
            duration_ms=round(duration_s * 1000) if duration_s else None,
            is_counted=is_counted,
            first_played_at=earlier.first_played_at if earlier else played_at or created_at,
            last_played_at=played_at or created_at,
        )
    VideoProgress.objects.using(alias).bulk_create(places.values(), batch_size=500, ignore_conflicts=True)


class Migration(migrations.Migration):
    # Each batch stands by itself, and running it again adds only what is missing: no table is locked for long.
    atomic = False

    dependencies = [
        ("videos", "0009_announced_status"),
    ]

    operations = [
        migrations.RunPython(keep_the_place_of_earlier_viewings, migrations.RunPython.noop, elidable=True),
    ]
