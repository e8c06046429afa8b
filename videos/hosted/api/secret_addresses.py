"""Views whose address holds a secret: who knows it may load, send or have a key."""

from typing import Any

from django.http import HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.views import View


class SecretAddress:
    """Comes before the view's class. Django writes the address of every refusal to its log: not of these."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        response._has_been_logged = True  # type: ignore[attr-defined]
        return response


class SecretAddressView(SecretAddress, View):
    """The same for a plain view, which logs a wrong method by itself."""

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseNotAllowed:
        return HttpResponseNotAllowed([name.upper() for name in self.http_method_names])
