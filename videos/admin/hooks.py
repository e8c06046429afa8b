"""What hosts told us, and how often somebody was refused at their doors."""

from django.contrib import admin

from videos.admin.base import ModelAdmin
from videos.models import WebhookEvent, WebhookRefusal


class LedgerAdmin(ModelAdmin):
    """Rows to read, for those who see all videos."""

    show_full_result_count = False

    def has_module_permission(self, request):
        return _sees_all(request)

    def has_view_permission(self, request, obj=None):
        return _sees_all(request)

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(WebhookEvent)
class WebhookEventAdmin(LedgerAdmin):
    list_display = [
        "received_at",
        "provider",
        "kind",
        "host_kind",
        "host_id",
        "times_received",
        "handled_at",
        "last_error",
    ]
    list_filter = ["provider", "kind", ("handled_at", admin.EmptyFieldListFilter), "received_at"]
    search_fields = ["host_id", "key"]


@admin.register(WebhookRefusal)
class WebhookRefusalAdmin(LedgerAdmin):
    list_display = ["day", "provider", "code", "count", "last_at"]
    list_filter = ["provider", "code", "day"]


def _sees_all(request):
    return request.user.is_superuser or request.user.has_perm("videos.manage_all_videos")
