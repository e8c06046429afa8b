from django.contrib import admin

from videos.admin.hooks import LedgerAdmin
from videos.hosted.admin.linking import video_link, with_video_id
from videos.hosted.models import Upload


@admin.register(Upload)
class UploadAdmin(LedgerAdmin):
    """Files on their way; their secrets are on no page."""

    list_display = ["created_at", "film", "kind", "state", "arrived", "megabytes", "expires_at", "completed_at"]
    list_filter = ["state", "kind", "created_at"]
    search_fields = ["public_id", "video__title"]
    list_select_related = ["video"]
    fields = [*list_display, "public_id", "content_type", "emptied_at"]
    readonly_fields = fields

    def get_queryset(self, request):
        return with_video_id(super().get_queryset(request).defer("secret", "metadata"))

    @admin.display(description="video")
    def film(self, upload):
        return video_link(upload, upload.video)

    @admin.display(description="arrived", empty_value="-")
    def arrived(self, upload):
        return f"{100 * upload.offset // upload.length} %" if upload.length and upload.kind == "tus" else None

    @admin.display(description="MB", ordering="length")
    def megabytes(self, upload):
        return f"{upload.length / 1000**2:.1f}"
