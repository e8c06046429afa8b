"""What each kind of host can do, read off its provider: a table that cannot be out of step with the code."""

import importlib
import inspect
import pkgutil
import typing
from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import apps

import videos.providers
from videos.providers.base import VideoProvider

YES, NO = "yes", "-"
OWN_HOST = ("videos.hosted", "videos.hosted.provider")
"""The app of our own host, which a project may leave out, and the module of its provider."""


def known_backends() -> list[type[VideoProvider]]:
    """The providers that come with this app, by name; that of our own host where its app is installed."""
    names = [f"{videos.providers.__name__}.{module.name}" for module in pkgutil.iter_modules(videos.providers.__path__)]
    app, own_host = OWN_HOST
    modules = [importlib.import_module(name) for name in names + ([own_host] if apps.is_installed(app) else [])]
    return sorted(
        {
            found
            for module in modules
            for _, found in inspect.getmembers(module, inspect.isclass)
            if issubclass(found, VideoProvider) and found is not VideoProvider and found.__module__ == module.__name__
        },
        key=lambda backend: backend.__name__,
    )


def matrix(backends: Sequence[type[VideoProvider]]) -> str:
    """A Markdown table: a line for each ability, a column for each provider."""
    lines = [
        ("", [f"`{backend.__name__}`" for backend in backends]),
        ("---", ["---" for _ in backends]),
        ("protection", [", ".join(backend.protections) for backend in backends]),
        ("player", [_kinds(backend.get_playback) for backend in backends]),
        ("grants without asking the host", [_answer(backend.grants_locally) for backend in backends]),
        ("upload tickets", [_kinds(backend.create_upload) if backend.supports_upload else NO for backend in backends]),
    ]
    for flag in VideoProvider.METHODS_BY_FLAG:
        label = flag.removeprefix("supports_").replace("_", " ")
        lines.append((label, [_answer(getattr(backend, flag)) for backend in backends]))
    return "\n".join(_line([label, *cells]) for label, cells in lines)


def _kinds(method: Any) -> str:
    """The kinds of what a method gives, by its annotation."""
    given = typing.get_type_hints(method)["return"]
    return ", ".join(f"`{variant.kind}`" for variant in typing.get_args(given) or (given,))


def _answer(can: bool) -> str:
    return YES if can else NO


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
