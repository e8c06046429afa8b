"""System checks of the video settings: what `manage.py check` finds before a viewer does."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from videos.providers import registry

ROUTED_ON = ("protection", "access_level", "tags", "size")


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


def check_routes(**kwargs: Any) -> list[CheckMessage]:
    """VIDEO_ROUTES have the right shape, and lead to hosts that are configured."""
    routes = getattr(settings, "VIDEO_ROUTES", None) or []
    if not isinstance(routes, list | tuple):
        return [Error("VIDEO_ROUTES must be a list of rules.", id="videos.E005")]
    problems = [text for number, route in enumerate(routes) for text in _problems(f"VIDEO_ROUTES[{number}]", route)]
    if problems:
        return [Error(problem, id="videos.E005") for problem in problems]
    known = getattr(settings, "VIDEO_PROVIDERS", {})
    return [message for number, route in enumerate(routes) for message in _unconfigured(number, route["use"], known)]


def _unconfigured(number: int, aliases: Any, known: Any) -> list[CheckMessage]:
    """A rule may name hosts whose keys are not set here, as long as one host is left."""
    if not known or any(alias in known for alias in aliases):
        return []
    names = ", ".join(aliases)
    return [
        Warning(
            f"VIDEO_ROUTES[{number}] leads to no configured host ({names}): what it fits cannot be uploaded.",
            hint="Set the keys of one of these hosts, or change the rule.",
            id="videos.W005",
        )
    ]


def _problems(place: str, route: Any) -> list[str]:
    if not isinstance(route, Mapping) or not set(route) <= {"when", "use"}:
        return [f'{place} must be {{"when": {{…}}, "use": ["alias", …]}}.']
    problems = []
    use = route.get("use")
    if not isinstance(use, list | tuple) or not use or not all(isinstance(alias, str) for alias in use):
        problems.append(f'{place}: "use" must be a list of aliases.')
    when = route.get("when", {})
    if not isinstance(when, Mapping):
        return [*problems, f'{place}: "when" must be a mapping.']
    known = ", ".join(ROUTED_ON)
    problems += [f'{place}: "when" knows no {name!r}; it knows {known}.' for name in sorted(set(when) - set(ROUTED_ON))]
    if "size" in when and not _is_size(when["size"]):
        problems.append(f'{place}: "size" must be {{"min": bytes, "max": bytes}}, one of them at least.')
    return problems


def _is_size(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and bool(value)
        and set(value) <= {"min", "max"}
        and all(isinstance(limit, int) for limit in value.values())
    )
