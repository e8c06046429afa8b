from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from courses.access import is_platform_staff


class PlatformStaffWrites(BasePermission):
    """Everybody may read; only staff may change."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.method in SAFE_METHODS or is_platform_staff(request.user)
