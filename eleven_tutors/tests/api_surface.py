"""Every address and method that the API answers to, read from the URL configuration itself."""

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver

METHODS = ("get", "post", "put", "patch", "delete")


def endpoints() -> Iterator[tuple[str, str]]:
    """Pairs of method and route name, such as `("POST", "users:register")`; every address under `/api/` has a name."""
    for route, name, pattern in _patterns(get_resolver().url_patterns, "", ""):
        if route.startswith("api/"):
            for method in _methods(pattern):
                yield method.upper(), name


def _patterns(patterns: list, prefix: str, namespace: str) -> Iterator[tuple[str, str, URLPattern]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _patterns(pattern.url_patterns, route, inner)
        else:
            yield route, f"{namespace}{pattern.name}", pattern


def _methods(pattern: URLPattern) -> tuple[str, ...]:
    """What a class-based view has handlers for; a plain view says it in its decorator, so it is asked."""
    view = pattern.callback
    view_class = getattr(view, "view_class", None) or getattr(view, "cls", None)
    if view_class is None:
        return METHODS
    allowed = {name.lower() for name in view_class.http_method_names}
    return tuple(method for method in METHODS if method in allowed and hasattr(view_class, method))
