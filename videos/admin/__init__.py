"""Videos for people: whoever has `manage_all_videos` sees all, others what they own."""

from django import forms
from django.contrib import admin, messages
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import ngettext

from videos import conf
from videos.admin import hooks  # noqa: F401
from videos.admin.base import ModelAdmin, Select, TabularInline, TextInput
from videos.admin.captions import CaptionInline
from videos.admin.choices import QUALITY_HELP, protection_choices, quality_choices
from videos.admin.figures import figures_panel
from videos.admin.preview import has_preview, preview_panel
from videos.admin.uploading import UploadAddresses, upload_panel
from videos.models import Asset, AssetStatus, PlaybackSession, Video
from videos.services.assets import ask_again, attach_host_id, find_attachable
from videos.services.details import check_details, clean_tags, set_tags
from videos.services.errors import InvalidRequest
from videos.services.removal import delete_video

_COLOURS = {
    AssetStatus.READY: "#15803d",
    AssetStatus.PROCESSING: "#b45309",
    AssetStatus.WAITING: "#475569",
    AssetStatus.FAILED: "#b91c1c",
    AssetStatus.DELETED: "#6b7280",
}


def status_badge(asset):
    if asset is None:
        return "-"
    style = "display:inline-block;padding:1px 8px;border-radius:9px;color:#fff;background:"
    return format_html('<span style="{}{}">{}</span>', style, _COLOURS[asset.status], asset.get_status_display())


def _sees_all(request):
    return request.user.is_superuser or request.user.has_perm("videos.manage_all_videos")


class VideoForm(forms.ModelForm):
    video_service_id = forms.CharField(
        label="Id at the host",
        required=False,
        max_length=255,
        show_hidden_initial=True,  # an upload from this page gives the video a copy that the field knows nothing of
        widget=TextInput,
        help_text="Paste the id from the host's dashboard, after the host's name where that is not the usual one "
        "(cloudflare:…); its status is fetched in the background.",
    )

    tag_names = forms.CharField(
        label="Tags",
        required=False,
        help_text="Words of a-z, 0-9, - and _, separated by commas.",
        widget=TextInput,
    )

    class Meta:
        model = Video
        fields = ["title", "owner", "access_level", "required_tier", "protection", "quality"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._word_the_choices()
        if self.instance._state.adding:
            return
        asset = self.instance.get_current_asset()
        if asset:
            self.initial["video_service_id"] = asset.host_id
        self.initial["tag_names"] = ", ".join(self.instance.tags.values_list("name", flat=True))

    def _word_the_choices(self):
        offered = {"protection": protection_choices(present=self.instance.protection), "quality": quality_choices()}
        for name in offered.keys() & self.fields.keys():
            self.fields[name] = forms.ChoiceField(choices=offered[name], required=False, widget=Select)
        if "protection" in self.fields:
            self.fields["protection"].help_text = "For the next file, or when the present one is prepared again."
        if "quality" in self.fields:
            self.fields["quality"].help_text = QUALITY_HELP

    def owner(self):
        return self.cleaned_data.get("owner") or self.user

    def details(self):
        """What `create_upload` takes of a new video."""
        names = ("title", "access_level", "required_tier", "protection", "quality")
        return {name: self.cleaned_data[name] for name in names} | {"tags": self.cleaned_data["tag_names"]}

    def clean_tag_names(self):
        try:
            return clean_tags(filter(None, map(str.strip, self.cleaned_data["tag_names"].split(","))))
        except InvalidRequest as error:
            raise forms.ValidationError(error.detail, code=error.code) from error

    def clean(self):
        values = super().clean()
        try:
            check_details(
                access_level=values.get("access_level", ""),
                required_tier=values.get("required_tier", ""),
                metadata=self.instance.metadata,
            )
        except InvalidRequest as error:
            self.add_error(error.attr, forms.ValidationError(error.detail, code=error.code))
        return values

    def clean_video_service_id(self):
        host_id = self.cleaned_data["video_service_id"].strip()
        if not host_id:
            return ""
        try:
            asset = find_attachable(host_id=host_id, owner=self.user)
        except InvalidRequest as error:
            raise forms.ValidationError(error.detail, code=error.code) from error
        if asset is not None and asset.video_id != self.instance.pk:
            raise forms.ValidationError(f"The video “{asset.video}” has this id: use that one.", code="taken")
        return host_id


class AssetInline(TabularInline):
    model = Asset
    extra = 0
    can_delete = False
    show_change_link = False
    verbose_name_plural = "Copies at video hosts"
    fields = ["provider", "host_id", "plays", "badge", "host_status", "failure_reason", "length", "ready_at"]
    readonly_fields = fields

    @admin.display(description="status")
    def badge(self, asset):
        return status_badge(asset)

    @admin.display(description="plays", boolean=True)
    def plays(self, asset):
        return asset.is_current

    @admin.display(description="length", empty_value="-")
    def length(self, asset):
        return None if asset.duration_s is None else "{}:{:02} min".format(*divmod(round(asset.duration_s), 60))

    def has_add_permission(self, request, obj=None):
        return False


@admin.register(Video)
class VideoAdmin(UploadAddresses, ModelAdmin):
    form = VideoForm
    list_display = ["title", "badge", "owner", "access_level", "protection", "created_at"]
    list_filter = ["access_level", "protection", "created_at"]
    search_fields = ["title", "assets__host_id"]
    list_select_related = ["owner"]
    raw_id_fields = ["owner"]
    inlines = [AssetInline, CaptionInline]
    actions = ["ask_the_host_again", "delete_here_and_at_the_host"]
    fields = [
        "title",
        "access_level",
        "required_tier",
        "protection",
        "quality",
        "tag_names",
        "owner",
        "file",
        "preview",
        "video_service_id",
        "viewings",
    ]
    readonly_fields = ["file", "preview", "viewings"]

    def get_queryset(self, request):
        videos = super().get_queryset(request).with_current_asset()
        return videos if _sees_all(request) else videos.filter(conf.managed_policy()(request.user))

    def get_inlines(self, request, obj):
        return self.inlines if obj else [AssetInline]

    def get_form(self, request, *args, **kwargs):
        form = super().get_form(request, *args, **kwargs)
        form.user = request.user
        return form

    def get_fields(self, request, obj=None):
        hidden = set() if _sees_all(request) else {"owner"}
        hidden |= set() if obj else {"viewings"}
        hidden |= set() if obj and has_preview(obj) else {"preview"}
        return [field for field in self.fields if field not in hidden]

    def has_change_permission(self, request, obj=None):
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or _sees_all(request) or conf.manage_policy()(request.user, obj))

    def has_delete_permission(self, request, obj=None):
        return False

    def save_model(self, request, obj, form, change):
        if not change and obj.owner_id is None:
            obj.owner = request.user
        # A change writes what the form changed: the page was read before, and others write this row meanwhile.
        changed = [name for name in form.changed_data if name in VideoForm.Meta.fields]
        obj.save(update_fields=[*changed, "updated_at"] if change else None)
        if "tag_names" in form.changed_data:
            set_tags(obj, form.cleaned_data["tag_names"])
        host_id = form.cleaned_data["video_service_id"]
        current = obj.get_current_asset()
        if "video_service_id" in form.changed_data and host_id and not (current and current.host_id == host_id):
            attach_host_id(video=obj, host_id=host_id, title=obj.title, owner=request.user)

    def viewings(self, video):
        return figures_panel(video)

    def preview(self, video):
        return preview_panel(video)

    @admin.display(description="file")
    def file(self, video):
        if video._state.adding:
            return upload_panel(create_url=reverse("admin:videos_video_create_upload"))
        return upload_panel(video)

    @admin.display(description="status")
    def badge(self, video):
        return status_badge(video.get_current_asset())

    @admin.action(description="Ask the host again")
    def ask_the_host_again(self, request, queryset):
        count = ask_again(list(queryset))
        told = ngettext("The host is asked about %d video.", "The hosts are asked about %d videos.", count)
        messages.success(request, told % count)

    @admin.action(description="Delete here and at the host", permissions=["change"])
    def delete_here_and_at_the_host(self, request, queryset):
        videos = [video for video in queryset if self.has_change_permission(request, video)]
        for video in videos:
            delete_video(video)
        told = ngettext("%d video is deleted.", "%d videos are deleted.", len(videos))
        messages.success(request, told % len(videos))


@admin.register(PlaybackSession)
class PlaybackSessionAdmin(ModelAdmin):
    """Where a viewer watched from is for those who run the platform, not for those who teach."""

    personal = ["ip", "user_agent", "device_id"]
    list_display = ["created_at", "viewer", "video", "state", "door", "position_s", "ip", "end_reason"]
    list_filter = ["state", "door", "created_at"]
    list_select_related = ["viewer__user", "video"]
    show_full_result_count = False

    def get_queryset(self, request):
        sessions = super().get_queryset(request)
        return (
            sessions
            if _sees_all(request)
            else sessions.filter(video__in=Video.objects.filter(conf.managed_policy()(request.user)))
        )

    def get_list_display(self, request):
        return self._shown(request, self.list_display)

    def get_search_fields(self, request):
        return ["public_id", "video__title", *(["ip"] if _sees_all(request) else [])]

    def get_fields(self, request, obj=None):
        return self._shown(request, super().get_fields(request, obj))

    def _shown(self, request, names):
        return [name for name in names if _sees_all(request) or name not in self.personal]

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
