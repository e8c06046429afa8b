from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from videos import conf


class MayCreateVideos(BasePermission):
    """Signed-in people may list what is theirs; creating follows VIDEO_CREATE_POLICY."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not (request.user and request.user.is_authenticated):
            return False
        return request.method in SAFE_METHODS or conf.create_policy()(request.user)


class MayManageVideo(BasePermission):
    """VIDEO_MANAGE_POLICY decides about one video."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user and request.user.is_authenticated)

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        return conf.manage_policy()(request.user, obj)


class RunsThePlatform(BasePermission):
    """VIDEO_STAFF_POLICY decides."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user and request.user.is_authenticated) and conf.staff_policy()(request.user)
