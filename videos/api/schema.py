"""The error body in the API's description."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, inline_serializer
from rest_framework import serializers


class VideoErrorSerializer(serializers.Serializer):
    code = serializers.CharField()
    detail = serializers.CharField()
    attr = serializers.CharField(allow_null=True)


ERROR_BODY = inline_serializer(
    "VideoErrorBody",
    {"type": serializers.CharField(), "errors": VideoErrorSerializer(many=True)},
)


def errors(**descriptions: str) -> dict[Any, OpenApiResponse]:
    """`errors(e404="Unknown video.")`: error responses by status."""
    return {int(name[1:]): OpenApiResponse(ERROR_BODY, text) for name, text in descriptions.items()}


GRANT_ERRORS = errors(
    e400="A field is missing or wrong.",
    e401="Sign in to watch this video.",
    e403="No right to watch; `code` says why (`not_enrolled`, `enrollment_ended`, `tier_too_low` with `tier`).",
    e404="Unknown video.",
    e409="`video_failed`, `video_deleted`, `video_missing`, or `too_many_streams` with `sessions`.",
    e425="`video_not_ready`, with the `status`; see Retry-After.",
    e429="Too many grants; see Retry-After.",
    e503="`host_unavailable`, `host_refused` or `host_misconfigured`; see Retry-After.",
)
SESSION_ERRORS = errors(
    e400="A field is missing or wrong.",
    e403="`invalid_session_token`, `session_ended` or `session_revoked`: stop the player.",
    e409="`too_many_streams`, with `sessions`.",
)
MANAGE_ERRORS = errors(e401="Not signed in.", e403="Not yours to manage.", e404="Unknown video.")
CREATE_ERRORS = errors(
    e400="A field is wrong, the file is too large, or no host fits.",
    e401="Not signed in.",
    e403="You may not create videos.",
    e503="The host gives no upload ticket at the moment.",
)
REPLACE_ERRORS = MANAGE_ERRORS | errors(
    e400="A field is wrong, the file is too large, or no host fits.",
    e409="`video_deleted`: the video is gone.",
    e503="No host takes the file at the moment.",
)
FILE_ERRORS = REPLACE_ERRORS | errors(
    e400="`body_incomplete`, `body_empty`, or the host refuses the file.",
    e411="`length_required`: there is no Content-Length.",
    e413="`file_too_large` to go through this server: get a ticket instead.",
)
STATISTICS_ERRORS = MANAGE_ERRORS | errors(e400="A day is wrong, or `invalid_span`.")
METRICS_ERRORS = errors(e401="Not signed in.", e403="For the platform's staff.")
SHARE_ERRORS = errors(
    e401="Sign in to watch this video.",
    e403="No right to watch; `code` says why.",
    e404="Unknown video.",
    e409="`not_shareable`: neither public nor unlisted.",
)
