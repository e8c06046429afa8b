"""System checks of the video settings: what `manage.py check` finds before a viewer does."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from videos.providers import registry


def check_providers(**kwargs: Any) -> list[CheckMessage]:
    """Every alias of VIDEO_PROVIDERS can be built and finds nothing wrong with its options."""
    entries = getattr(settings, "VIDEO_PROVIDERS", {})
    if not isinstance(entries, Mapping):
        return [Error("VIDEO_PROVIDERS must be a mapping of aliases.", id="videos.E001")]
    return [message for alias, entry in entries.items() for message in _check_entry(alias, entry)]


def _check_entry(alias: str, entry: Any) -> list[CheckMessage]:
    problems = registry.problems_of(alias, entry)
    if problems:
        return [Error(problem, id="videos.E001") for problem in problems]
    return registry.build(alias, entry).check()
