import sys
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from videos.hosted.services.content_keys.rotation import Rotation, encrypted_videos, rotate


class Command(BaseCommand):
    help = (
        "Have encrypted videos packaged again under new content keys, by the workers. What plays now plays on; the "
        "former keys are destroyed with their packages. Ends with 1 when a video could not be begun."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--video", type=UUID, action="append", help="A video by its id; may be given again.")
        which.add_argument("--older-than", type=int, metavar="DAYS", help="Videos whose key is older than this.")
        which.add_argument("--all", action="store_true", help="Every encrypted video.")
        parser.add_argument("--dry-run", action="store_true", help="List the videos, and begin none.")
        parser.add_argument(
            "--revoke",
            action="store_true",
            help="Give no licence for the former keys from now on: nothing of these videos plays until they are ready.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["older_than"]
        if days is not None and days < 0:
            raise CommandError("--older-than must not be negative.")
        before = None if days is None else timezone.now() - timedelta(days=days)
        videos = encrypted_videos(video_ids=options["video"], key_before=before)
        total = videos.count()
        if options["video"] and not total:
            raise CommandError("No such video plays encrypted at our own host.")
        failed = 0
        for number, video in enumerate(videos.iterator(), start=1):
            what = "would be rotated" if options["dry_run"] else rotate(video=video, revokes=options["revoke"])
            failed += what in (Rotation.RUNNING, Rotation.GONE)
            key = video.package and video.package.key
            since = f", key of {key.created_at:%Y-%m-%d}" if key else ""
            self.stdout.write(f"[{number}/{total}] {video.host_id} {video.title!r}{since}: {what}")
        verb = "to be rotated" if options["dry_run"] else "begun"
        self.stdout.write(f"{total - failed} videos {verb}, {failed} not")
        if failed:
            sys.exit(1)
