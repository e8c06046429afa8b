"""Doors to stored files: plain views, since a browser loads pictures and downloads without a bearer token."""

from pathlib import PurePosixPath

from django.core.files.storage import FileSystemStorage
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_safe

from courses.files import read_resource_token
from courses.models import Course, LessonResource, University

_SIGNED_PER_S = 1800


@require_safe
def image(request: HttpRequest, kind: str, owner_id: int, name: str) -> HttpResponseBase:
    """Redirect to where a thumbnail or logo can be fetched now; the same address until the next half hour."""
    if kind == "thumbnails":
        file = get_object_or_404(Course.objects.only("thumbnail"), pk=owner_id).thumbnail
    else:
        file = get_object_or_404(University.objects.only("logo"), pk=owner_id).logo
    if not file.name or PurePosixPath(file.name).name != name:
        raise Http404
    rest_s = _SIGNED_PER_S - int(timezone.now().timestamp()) % _SIGNED_PER_S
    return HttpResponseRedirect(file.url, headers={"Cache-Control": f"public, max-age={rest_s}"})


@require_safe
def resource(request: HttpRequest, token: str) -> HttpResponseBase:
    """The file of a lesson resource, for whoever holds the address that the lesson gave out."""
    row = get_object_or_404(LessonResource.objects.exclude(file=""), pk=read_resource_token(token))
    headers = {"Cache-Control": "private, no-store"}
    if not isinstance(row.file.storage, FileSystemStorage):
        return HttpResponseRedirect(row.file.url, headers=headers)
    name = f"{row.title}{PurePosixPath(str(row.file.name)).suffix}"
    return FileResponse(row.file.open("rb"), as_attachment=True, filename=name, headers=headers)
