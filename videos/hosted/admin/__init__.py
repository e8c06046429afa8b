"""Our own host for those who run the platform: rows to read, jobs to try again, keys to revoke."""

from videos.hosted.admin import keys, licences, transcodes, uploads  # noqa: F401
