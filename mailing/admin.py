from django.contrib import admin, messages
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from mailing.models import OutgoingMail
from mailing.services import send_again


@admin.register(OutgoingMail)
class OutgoingMailAdmin(ModelAdmin):
    list_display = ["id", "kind", "status", "attempts", "last_error", "created_at", "due_at", "sent_at"]
    list_filter = ["status", "kind"]
    search_fields = ["kind", "key"]
    actions = ["start_over"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj=None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj=None) -> bool:
        return False

    def has_send_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("mailing.change_outgoingmail")

    @admin.action(description="Send again", permissions=["send"])
    def start_over(self, request: HttpRequest, queryset) -> None:
        for mail in queryset:
            send_again(mail)
        self.message_user(request, f"{len(queryset)} mails are being sent again.", messages.SUCCESS)
