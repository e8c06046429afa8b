"""The configured hosts by alias: `providers["vdocipher"]`, `"hosted" in providers`, `for alias in providers`."""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from videos.providers.base import VideoProvider
from videos.providers.exceptions import ProviderMisconfigured, UnknownProvider


class ProviderRegistry(Mapping[str, VideoProvider]):
    """A view of the setting VIDEO_PROVIDERS. Nothing is cached: a provider is a small value, built when asked for."""

    def __getitem__(self, alias: str) -> VideoProvider:
        """The provider of this alias; raises UnknownProvider or ProviderMisconfigured."""
        entries = _entries()
        if alias not in entries:
            raise UnknownProvider(alias)
        return build(alias, entries[alias])

    def __iter__(self) -> Iterator[str]:
        return iter(_entries())

    def __len__(self) -> int:
        return len(_entries())

    def __contains__(self, alias: object) -> bool:
        return alias in _entries()


def build(alias: str, entry: Any) -> VideoProvider:
    """The provider that one entry of VIDEO_PROVIDERS describes; raises ProviderMisconfigured."""
    problems = problems_of(alias, entry)
    if problems:
        raise ProviderMisconfigured(" ".join(problems))
    provider: VideoProvider = _backend(entry["BACKEND"])(alias=alias, **entry.get("OPTIONS", {}))
    return provider


def problems_of(alias: str, entry: Any) -> list[str]:
    """What stands in the way of building this entry, one sentence each, naming alias, option and variable."""
    place = f'VIDEO_PROVIDERS["{alias}"]'
    if not isinstance(entry, Mapping) or not isinstance(entry.get("OPTIONS", {}), Mapping):
        return [f'{place} must be {{"BACKEND": "dotted.path", "OPTIONS": {{…}}}}.']
    problems = [f"{place}: unknown key {key!r}." for key in entry if key not in ("BACKEND", "OPTIONS")]
    try:
        backend = _backend(entry.get("BACKEND"))
    except (ImportError, TypeError) as error:
        return [*problems, f"{place}: BACKEND {entry.get('BACKEND')!r} cannot be used ({error})."]
    options = entry.get("OPTIONS", {})
    known = {option.name: option for option in fields(backend) if option.name != "alias"}
    problems += [
        f"{place}: unknown option {name!r}; known are {', '.join(known)}." for name in options if name not in known
    ]
    problems += [
        f"{place}: option {name!r} is missing{_variable_hint(option)}."
        for name, option in known.items()
        if _is_required(option) and options.get(name) in (None, "")
    ]
    return problems


def _entries() -> Mapping[str, Any]:
    entries: Mapping[str, Any] = getattr(settings, "VIDEO_PROVIDERS", {})
    return entries


def _backend(path: Any) -> type[VideoProvider]:
    if not isinstance(path, str):
        raise TypeError("it must be a dotted path")
    backend = import_string(path)
    if not (isinstance(backend, type) and issubclass(backend, VideoProvider)):
        raise TypeError("it is not a VideoProvider")
    return backend


def _is_required(option: "Field[Any]") -> bool:
    return option.default is MISSING and option.default_factory is MISSING


def _variable_hint(option: "Field[Any]") -> str:
    variable = option.metadata.get("variable", "")
    return f"; set the environment variable {variable}" if variable else ""


providers = ProviderRegistry()
