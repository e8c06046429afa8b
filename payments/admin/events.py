import json

from django.contrib import admin
from django.db.models import Q
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from payments.admin import steps
from payments.admin.base import ReadOnly, breakable
from payments.admin.confirming import confirmed
from payments.admin.long_lists import EventTypeFilter, LongList
from payments.models import WebhookEvent


class HandledFilter(admin.SimpleListFilter):
    title = "handled"
    parameter_name = "handled"

    def lookups(self, request, model_admin):
        return [("no", "Not yet"), ("noted", "With a note")]

    def queryset(self, request, queryset):
        conditions = {"no": Q(handled_at=None), "noted": ~Q(last_error="")}
        return queryset.filter(conditions.get(self.value(), Q()))


@admin.register(WebhookEvent)
class WebhookEventAdmin(ReadOnly, LongList, ModelAdmin):
    list_display = ["event_id", "type", "object_id", "received_at", "handled_at", "attempts", "last_error"]
    list_filter = [HandledFilter, EventTypeFilter, "received_at"]
    search_fields = ["event_id", "object_id", "payment__order__public_id"]
    fields = [
        "event_id",
        "type",
        "about",
        "payment",
        "occurred_at",
        "received_at",
        "handled_at",
        "attempts",
        "last_error",
        "api_version",
        "livemode",
        "shown_payload",
    ]
    readonly_fields = ["about", "received_at", "shown_payload"]
    actions = ["process_again"]
    actions_detail = ["process_one_again"]

    @display(description="object id")
    def about(self, event):
        return breakable(event.object_id)

    @display(description="payload")
    def shown_payload(self, event):
        text = json.dumps(event.payload, indent=1, ensure_ascii=False)
        return format_html('<pre style="white-space: pre-wrap; overflow-wrap: anywhere">{}</pre>', text)

    @admin.action(description="Process again", permissions=["replay"])
    def process_again(self, request, queryset):
        back = reverse("admin:payments_webhookevent_changelist")
        rows = queryset.order_by("occurred_at")
        return confirmed(self, request, rows, steps.REPLAY, back=back, action="process_again")

    @action(description="Process again", url_path="replay", permissions=["replay"])
    def process_one_again(self, request, object_id):
        back = reverse("admin:payments_webhookevent_change", args=[object_id])
        event = self.get_object(request, object_id)
        page = confirmed(self, request, [event], steps.REPLAY, back=back) if event else None
        return page or redirect(back)

    def has_replay_permission(self, request, object_id=None):
        return request.user.has_perm("payments.change_webhookevent")
