from django.contrib import admin, messages
from django.template.response import TemplateResponse
from django.utils.translation import ngettext

from videos.admin.hooks import LedgerAdmin
from videos.hosted.admin.linking import video_link, with_video_id
from videos.hosted.hosts import hosts
from videos.hosted.models import ContentKey, Package
from videos.hosted.services.content_keys.keys import revoke


@admin.register(ContentKey)
class ContentKeyAdmin(LedgerAdmin):
    """Content keys by their ids; what they are wrapped into is on no page."""

    list_display = ["kid", "film", "version", "state", "wrapped_by", "created_at", "rewrapped_at", "revoked_at"]
    list_filter = ["state", "wrapped_by", "created_at"]
    search_fields = ["kid", "video__title"]
    list_select_related = ["video"]
    actions = ["revoke"]
    fields = list_display
    readonly_fields = fields

    def get_queryset(self, request):
        return with_video_id(super().get_queryset(request).defer("wrapped"))

    @admin.display(description="video")
    def film(self, key):
        return video_link(key, key.video)

    @admin.action(description="Revoke: give no licence any more", permissions=["view"])
    def revoke(self, request, queryset):
        keys = list(queryset.select_related("video"))
        if not request.POST.get("confirmed"):
            return self._confirm(request, keys)
        reason = f"admin, by user {request.user.pk}"
        count = sum(revoke(key=key, reason=reason) for key in keys)
        for key in keys:
            self.log_change(request, key, "Revoked: no licence is given for it.")
        told = ngettext("%d key is revoked.", "%d keys are revoked.", count)
        messages.success(request, told % count)
        return None

    def _confirm(self, request, keys):
        longest_s = max((parts.licence_s for parts in hosts().values()), default=0)
        context = {
            **self.admin_site.each_context(request),
            "title": "Revoke content keys",
            "opts": self.opts,
            "keys": keys,
            "minutes": round(longest_s / 60),
            "back": request.get_full_path(),
        }
        return TemplateResponse(request, "videos_hosted/admin/revoke_keys.html", context)


@admin.register(Package)
class PackageAdmin(LedgerAdmin):
    list_display = ["public_id", "film", "state", "scheme", "qualities", "megabytes", "published_at", "empty_at"]
    list_filter = ["state", "scheme", "created_at"]
    search_fields = ["public_id", "video__title"]
    list_select_related = ["video"]
    fields = [*list_display, "duration_s", "key", "transcode", "created_at"]
    readonly_fields = fields

    def get_queryset(self, request):
        return with_video_id(super().get_queryset(request).select_related("video", "key", "transcode"))

    @admin.display(description="video")
    def film(self, package):
        return video_link(package, package.video)

    @admin.display(description="can be played as", empty_value="-")
    def qualities(self, package):
        return ", ".join(row["name"] for row in package.renditions) or None

    @admin.display(description="MB", ordering="size_bytes", empty_value="-")
    def megabytes(self, package):
        return None if package.size_bytes is None else f"{package.size_bytes / 1000**2:.1f}"
