from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from unfold.admin import ModelAdmin
from unfold.decorators import display

from users.forms import AccountChangeForm, AccountCreationForm, AccountPasswordForm
from users.models import User
from users.services import close_account, end_refresh_tokens, send_verification

admin.site.unregister(Group)
# Their pages would show refresh tokens that work to whoever reads over a shoulder.
admin.site.unregister([BlacklistedToken, OutstandingToken])


@admin.register(User)
class UserAdmin(BaseUserAdmin, ModelAdmin):
    form = AccountChangeForm
    add_form = AccountCreationForm
    change_password_form = AccountPasswordForm
    list_display = ["email", "username", "first_name", "last_name", "verified", "is_active", "is_staff", "date_joined"]
    list_filter = ["is_active", "is_staff", "is_superuser", ("email_verified_at", admin.EmptyFieldListFilter), "groups"]
    search_fields = ["email", "username", "first_name", "last_name"]
    ordering = ["-date_joined"]
    readonly_fields = ["email_verified_at", "last_login", "date_joined"]
    actions = ["resend_verification", "log_out"]
    rights = ["is_staff", "is_superuser", "groups", "user_permissions"]
    fieldsets = [
        (None, {"fields": ["email", "email_verified_at", "username", "password"]}),
        ("Name", {"fields": ["first_name", "last_name"]}),
        ("Rights", {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [(None, {"classes": ["wide"], "fields": ["email", "username", "password1", "password2"]})]

    @display(description="Verified", boolean=True, ordering="email_verified_at")
    def verified(self, user: User) -> bool:
        return user.is_email_verified

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Only a superuser gives rights: staff can raise neither themselves nor anybody else."""
        fields = list(super().get_readonly_fields(request, obj))
        return fields if request.user.is_superuser else [*fields, *self.rights]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        is_above = obj is not None and obj.is_superuser and not request.user.is_superuser
        return super().has_change_permission(request, obj) and not is_above

    def save_model(self, request: HttpRequest, obj: User, form, change: bool) -> None:
        if change and "email" in form.changed_data:
            obj.email_verified_at = None
        super().save_model(request, obj, form, change)
        if change and "is_active" in form.changed_data and not obj.is_active:
            close_account(obj)

    @admin.action(description="Resend the verification mail", permissions=["change"])
    def resend_verification(self, request: HttpRequest, queryset) -> None:
        unverified = list(queryset.filter(email_verified_at=None, is_active=True))
        for user in unverified:
            send_verification(email=user.email)
        self.message_user(
            request,
            f"{len(unverified)} mails are on their way; {len(queryset) - len(unverified)} accounts needed none.",
            messages.SUCCESS,
        )

    @admin.action(description="Log out everywhere", permissions=["change"])
    def log_out(self, request: HttpRequest, queryset) -> None:
        ended = sum(end_refresh_tokens(user) for user in queryset)
        self.message_user(request, f"{ended} log-ins ended.", messages.SUCCESS)


@admin.register(Group)
class GroupAdmin(BaseGroupAdmin, ModelAdmin):
    pass
