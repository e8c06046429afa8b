from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import UserRateThrottle
from rest_framework.views import APIView

from videos.api.context import client_ip


class PlaybackThrottle(UserRateThrottle):
    """Grants per viewer: `DEFAULT_THROTTLE_RATES["playback"]`, 30 a minute when unset."""

    scope = "playback"
    default_rate = "30/min"

    def get_rate(self) -> str | None:
        rates = api_settings.DEFAULT_THROTTLE_RATES
        rate = rates.get(self.scope, self.default_rate)
        if rate is not None and not isinstance(rate, str):
            raise ImproperlyConfigured(f'DEFAULT_THROTTLE_RATES["{self.scope}"] must be text such as "30/min".')
        return rate

    def get_ident(self, request: Request | HttpRequest) -> str:
        return client_ip(request if isinstance(request, HttpRequest) else request._request)

    def allow_request(self, request: Request, view: APIView) -> bool:
        return bool(super().allow_request(request, view))
