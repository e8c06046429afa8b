from typing import Any

from django import forms
from unfold.forms import AdminPasswordChangeForm, AuthenticationForm, UserChangeForm, UserCreationForm

from users.client_address import client_address
from users.models import User
from users.services import claim_attempt, end_refresh_tokens, forget_attempts

CLIENT_RATE, RATE = "login", "login_address"


class AdminLoginForm(AuthenticationForm):
    """The admin's log-in: tries are counted for each client, and on an address together with those of the API."""

    def clean(self) -> dict[str, Any]:
        address = self.cleaned_data.get("username") or ""
        if self._is_slowed_down(address):
            raise forms.ValidationError("Too many tries. Wait a while.", code="throttled")
        cleaned: dict[str, Any] = super().clean()
        forget_attempts(rate=RATE, address=address)
        return cleaned

    def _is_slowed_down(self, address: str) -> bool:
        if claim_attempt(rate=CLIENT_RATE, address=client_address(self.request)):
            return True
        return bool(address and claim_attempt(rate=RATE, address=address))


class _UniqueAddress(forms.ModelForm):
    def clean_email(self) -> str:
        email = User.objects.normalize_email(self.cleaned_data["email"])
        if User.objects.with_email(email).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("Another account has this address.", code="email_taken")
        return email


class AccountCreationForm(_UniqueAddress, UserCreationForm):
    class Meta(UserCreationForm.Meta):
        model = User
        fields = ("email", "username")


class AccountChangeForm(_UniqueAddress, UserChangeForm):
    class Meta(UserChangeForm.Meta):
        model = User
        fields = ("email", "username", "password")


class AccountPasswordForm(AdminPasswordChangeForm):
    """Sets somebody's password, which logs that account out everywhere."""

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=commit)
        end_refresh_tokens(user)
        return user
