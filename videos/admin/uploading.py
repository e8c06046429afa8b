"""Uploading in the admin: the panel with the uploader, and the addresses it asks, in a session of the admin.

The panel goes into any admin form, of this app or another: `upload_panel(video)` as a read-only field.
"""

import json

from django import forms
from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.views.decorators.http import require_GET, require_POST

from videos import conf
from videos.admin.choices import USUAL, protection_choices, quality_choices
from videos.models import Protection, Quality, Video
from videos.providers.failures import reason_of
from videos.services.errors import NotYours, SourceGone, TranscodeRunning, VideosError
from videos.services.preparing import preparation_of, prepare_again
from videos.services.uploads import create_upload, note_sent, replace_file

_TOLD = ["video_service_id", "status", "host_status", "failure_code", "failure_reason", "progress_percent"]


def upload_panel(video=None, *, create_url="", ticket_url="", usual=USUAL):
    """The uploader for another file of `video`; without a video, one that makes it by `create_url`.

    `create_url` is sent the surrounding form with `filename`, `size` and `content_type`, and answers as
    `ticket_answer` does; so may `ticket_url`, which is asked instead of the usual address. The panel asks for
    protection and quality where the surrounding form does not; `usual` tells what no choice of protection means. It
    stands inside a form with Django's CSRF token.
    """
    addresses = {"create-url": create_url} if video is None else {"video": video.pk, **_addresses(video)}
    if ticket_url:
        addresses["ticket-url"] = ticket_url
    context = {"addresses": addresses, "choices": json.dumps(_choices(video, usual))}
    return render_to_string("videos/admin/upload_panel.html", context)


def _choices(video, usual):
    protection, quality = (video.protection, video.quality) if video else ("", "")
    return [
        {
            "name": "protection",
            "label": "Protection",
            "value": protection,
            "options": protection_choices(present=protection, usual=usual),
        },
        {"name": "quality", "label": "Quality", "value": quality, "options": quality_choices()},
    ]


def ticket_answer(video, asset, ticket, *, change_url=""):
    """What the uploader needs to go on with a video that was just made; `change_url` is the page of its form."""
    made = {"id": str(video.pk), "title": video.title, "video_service_id": asset.host_id}
    addresses = {name.removesuffix("-url"): address for name, address in _addresses(video).items()}
    urls = addresses | {"change": change_url}
    return _answer({"video": made, "upload": ticket.as_json(), "urls": urls, "passed_over": asset.passed_over})


def refused(errors, *, status=400):
    """Errors as the API says them; `errors` are (code, detail, attr)."""
    entries = [{"code": code, "detail": detail, "attr": attr} for code, detail, attr in errors]
    return _answer({"type": "validation_error", "errors": entries}, status=status)


def refused_form(form):
    """What a form found wrong."""
    return refused(
        (error.code or "invalid", " ".join(error.messages), None if name == "__all__" else name)
        for name, found in form.errors.as_data().items()
        for error in found
    )


class ChoicesForm(forms.Form):
    """What is wanted of the next copy; what was not sent stays as it is."""

    protection = forms.ChoiceField(choices=Protection.choices, required=False)
    quality = forms.ChoiceField(choices=Quality.choices, required=False)

    def choices(self):
        return {name: self.cleaned_data[name] if name in self.data else None for name in ("protection", "quality")}


class FileForm(ChoicesForm):
    filename = forms.CharField(max_length=1000)
    size = forms.IntegerField(min_value=1, max_value=2**50)
    content_type = forms.CharField(max_length=100, required=False)

    def file(self):
        """The file as the upload services take it."""
        return {
            "filename": self.cleaned_data["filename"],
            "size_bytes": self.cleaned_data["size"],
            "content_type": self.cleaned_data["content_type"],
        }


class UploadAddresses:
    """For the ModelAdmin of videos: the addresses that the panel asks."""

    def get_urls(self):
        views = [
            path("upload/", self._in_session(self.create_view), name="videos_video_create_upload"),
            path("<uuid:video_id>/ticket/", self._in_session(ticket_view), name="videos_video_ticket"),
            path("<uuid:video_id>/again/", self._in_session(again_view), name="videos_video_again"),
            path("<uuid:video_id>/uploaded/", self._in_session(uploaded_view), name="videos_video_uploaded"),
            path("<uuid:video_id>/upload-status/", self._in_session(status_view), name="videos_video_upload_status"),
        ]
        return [*views, *super().get_urls()]

    def create_view(self, request):
        """Make a video from the form of the add page, and give its upload ticket."""
        if request.method != "POST" or not self.may_create(request):
            return refused([("permission_denied", "You may not create videos.", None)], status=403)
        form, file = self.get_form(request)(request.POST), FileForm(request.POST)
        if not form.is_valid() or not file.is_valid():
            return refused_form(form if form.errors else file)
        try:
            made = create_upload(owner=form.owner(), **form.details(), **file.file())
        except VideosError as error:
            return _refused_by_service(error)
        return ticket_answer(*made, change_url=reverse("admin:videos_video_change", args=[made[0].pk]))

    def may_create(self, request):
        return self.has_add_permission(request) and conf.create_policy()(request.user)

    def _in_session(self, view):
        return self.admin_site.admin_view(view)


@require_POST
def ticket_view(request, video_id):
    """Give the ticket for another file of a video."""
    video = get_object_or_404(Video.objects.with_current_asset(), pk=video_id)
    file = FileForm(request.POST)
    if not file.is_valid():
        return refused_form(file)
    try:
        asset, ticket = replace_file(video=video, actor=request.user, **file.file(), **file.choices())
    except VideosError as error:
        return _refused_by_service(error)
    return _answer({"asset": _copy(asset), "upload": ticket.as_json(), "passed_over": asset.passed_over})


@require_POST
def again_view(request, video_id):
    """Have the host prepare the file again, as it is chosen now."""
    video = get_object_or_404(Video.objects.with_current_asset(), pk=video_id)
    form = ChoicesForm(request.POST)
    if not form.is_valid():
        return refused_form(form)
    try:
        asset = prepare_again(video=video, actor=request.user, **form.choices())
    except VideosError as error:
        return _refused_by_service(error)
    return _answer(_copy(asset))


@require_POST
def uploaded_view(request, video_id):
    """The browser says that the file is at the host."""
    video = get_object_or_404(Video, pk=video_id)
    if not conf.manage_policy()(request.user, video):
        return _refused_by_service(NotYours())
    note_sent(video)
    return _answer({})


@require_GET
def status_view(request, video_id):
    """How far the host is with the copy that plays, and with the one that is next."""
    video = get_object_or_404(Video.objects.with_current_asset(), pk=video_id)
    if not conf.manage_policy()(request.user, video):
        return _refused_by_service(NotYours())
    current = video.get_current_asset()
    told = _copy(current) if current else dict.fromkeys([*_TOLD, "preparation"])
    coming = video.assets.filter(is_next=True).first()
    return _answer(told | {"next": _copy(coming) if coming else None})


def _copy(asset):
    told = {name: getattr(asset, "host_id" if name == "video_service_id" else name) for name in _TOLD}
    return told | {"preparation": _preparation(asset)}


def _preparation(asset):
    made = preparation_of(asset)
    if made is None:
        return None
    return {
        "state": made.state,
        "step": made.step,
        "progress_percent": made.progress_percent,
        "failure_reason": reason_of(made.failure_code) if made.failure_code else "",
        "can_start_again": made.can_start_again,
    }


def _addresses(video):
    return {
        "ticket-url": reverse("admin:videos_video_ticket", args=[video.pk]),
        "again-url": reverse("admin:videos_video_again", args=[video.pk]),
        "status-url": reverse("admin:videos_video_upload_status", args=[video.pk]),
        "uploaded-url": reverse("admin:videos_video_uploaded", args=[video.pk]),
    }


def _refused_by_service(error):
    status = 403 if isinstance(error, NotYours) else 409 if isinstance(error, TranscodeRunning | SourceGone) else 400
    return refused([(error.code, error.detail, getattr(error, "attr", None))], status=status)


def _answer(body, *, status=200):
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})
