from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import serializers
from rest_framework.fields import get_error_detail

from users.models import User

PASSWORD_MAX_LENGTH = 256


class EmailField(serializers.EmailField):
    """An address in ASCII: look-alike letters of other alphabets would compare equal to another account's."""

    default_error_messages = {"invalid": "Enter a valid e-mail address."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=254, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        address: str = super().to_internal_value(data)
        if not address.isascii():
            self.fail("invalid")
        return address


class PasswordField(serializers.CharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=PASSWORD_MAX_LENGTH,
            trim_whitespace=False,
            write_only=True,
            style={"input_type": "password"},
            **kwargs,
        )


class NameField(serializers.CharField):
    """A name on one line: it ends up in mails and in the watermark."""

    default_error_messages = {"not_printable": "A name cannot contain line breaks or control characters."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=150, allow_blank=True, required=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        name: str = super().to_internal_value(data)
        if not name.isprintable():
            self.fail("not_printable")
        return name


class UsernameField(serializers.CharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=150, validators=[UnicodeUsernameValidator()], **kwargs)

    def to_internal_value(self, data: Any) -> str:
        return AbstractBaseUser.normalize_username(super().to_internal_value(data))


class RegistrationSerializer(serializers.Serializer):
    email = EmailField()
    username = UsernameField()
    password = PasswordField()
    first_name = NameField()
    last_name = NameField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        described = {name: value for name, value in attrs.items() if name != "password"}
        try:
            validate_password(attrs["password"], User(**described))
        except DjangoValidationError as error:
            raise serializers.ValidationError({"password": get_error_detail(error)}) from None
        return attrs


class DetailSerializer(serializers.Serializer):
    detail = serializers.CharField()


class EmailSerializer(serializers.Serializer):
    email = EmailField()


class VerifyEmailSerializer(serializers.Serializer):
    token = serializers.CharField(max_length=1000, write_only=True)
    email = serializers.EmailField(read_only=True)


class LoginSerializer(serializers.Serializer):
    email = serializers.CharField(max_length=254)
    password = PasswordField()


class RefreshSerializer(serializers.Serializer):
    refresh = serializers.CharField(max_length=2000)


class TokenPairSerializer(serializers.Serializer):
    access = serializers.CharField()
    refresh = serializers.CharField()


class PasswordResetConfirmSerializer(serializers.Serializer):
    uid = serializers.CharField(max_length=100)
    token = serializers.CharField(max_length=200)
    password = PasswordField()


class PasswordChangeSerializer(serializers.Serializer):
    old_password = PasswordField()
    new_password = PasswordField()


class MeSerializer(serializers.ModelSerializer):
    username = UsernameField()
    first_name = NameField()
    last_name = NameField()
    email_verified = serializers.BooleanField(source="is_email_verified", read_only=True)
    is_instructor = serializers.BooleanField(read_only=True)

    class Meta:
        model = User
        fields = [
            "id",
            "email",
            "username",
            "first_name",
            "last_name",
            "email_verified",
            "is_instructor",
            "is_staff",
            "date_joined",
        ]
        read_only_fields = ["id", "email", "is_staff", "date_joined"]
