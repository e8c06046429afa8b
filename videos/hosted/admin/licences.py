from django.contrib import admin

from videos.admin.hooks import LedgerAdmin
from videos.hosted.models import Licence


class OutcomeFilter(admin.SimpleListFilter):
    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request, model_admin):
        return [("issued", "issued"), ("refused", "refused")]

    def queryset(self, request, queryset):
        if self.value() == "issued":
            return queryset.filter(result="issued")
        return queryset.exclude(result="issued") if self.value() == "refused" else queryset


@admin.register(Licence)
class LicenceAdmin(LedgerAdmin):
    """Who was given a key, or refused one: rows that nobody changes."""

    list_display = ["created_at", "result", "system", "kind", "user", "video", "ip", "valid_s", "took_ms"]
    list_filter = [OutcomeFilter, "system", "kind", "created_at"]
    list_select_related = ["user", "video"]
    search_fields = ["user__email", "video__title", "ip", "result"]
    date_hierarchy = "created_at"
    fields = [*list_display, "session", "key", "device"]
    readonly_fields = fields
