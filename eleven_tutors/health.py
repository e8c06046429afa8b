"""Is it alive, can it serve, do the video hosts and Stripe answer."""

from collections.abc import Callable
from dataclasses import asdict

from celery import current_app
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.db import connection
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from courses.access import is_platform_staff
from payments.services.account_check import check_account
from videos.services.health import ping_hosts

BROKER_TIMEOUT_S = 2


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _cache() -> None:
    # One key for all probes: a new one each time would push the throttle counts out of a small cache.
    cache.set("health", "here", 10)
    if cache.get("health") != "here":
        raise RuntimeError("The cache forgot at once.")


def _broker() -> None:
    with current_app.connection_for_write(connect_timeout=BROKER_TIMEOUT_S) as broker:
        broker.ensure_connection(max_retries=1, timeout=BROKER_TIMEOUT_S)


def _storage() -> None:
    default_storage.exists("health")


PARTS: dict[str, Callable[[], None]] = {
    "database": _database,
    "cache": _cache,
    "broker": _broker,
    "storage": _storage,
}


def _state(probe: Callable[[], None]) -> str:
    # Whatever a part raises means that it is not ready; the class name tells the operator why and leaks no address.
    try:
        probe()
    except Exception as error:
        return type(error).__name__
    return "ok"


class AliveView(APIView):
    """The process answers. For a load balancer's liveness probe: touches nothing."""

    authentication_classes: list[type] = []
    permission_classes = [AllowAny]

    @extend_schema(responses=inline_serializer("Alive", {"status": serializers.CharField()}))
    def get(self, request: Request) -> Response:
        return Response({"status": "ok"})


class ReadyView(APIView):
    """Database, cache, broker and storage answer: 200, else 503 with what does not."""

    authentication_classes: list[type] = []
    permission_classes = [AllowAny]
    _shape = inline_serializer("Ready", {"status": serializers.CharField(), "parts": serializers.DictField()})

    @extend_schema(responses={200: _shape, 503: _shape})
    def get(self, request: Request) -> Response:
        parts = {name: _state(probe) for name, probe in PARTS.items()}
        is_ready = all(state == "ok" for state in parts.values())
        return Response(
            {"status": "ok" if is_ready else "unavailable", "parts": parts}, status=200 if is_ready else 503
        )


class IsPlatformStaff(BasePermission):
    """People who run the platform; `is_staff` alone has instructors too."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return is_platform_staff(request.user)


class ProvidersView(APIView):
    """Reachability and response time of every configured video host, and how Stripe is set up (staff)."""

    permission_classes = [IsPlatformStaff]

    @extend_schema(
        responses=inline_serializer(
            "HostHealth",
            {name: serializers.ListField(child=serializers.DictField()) for name in ("hosts", "payments")},
        )
    )
    def get(self, request: Request) -> Response:
        return Response(
            {
                "hosts": [asdict(host) for host in ping_hosts()],
                "payments": [asdict(finding) for finding in check_account()],
            }
        )
