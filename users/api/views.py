from dataclasses import asdict
from typing import Any, cast

from django.contrib.auth import authenticate
from drf_spectacular.utils import OpenApiResponse, extend_schema
from drf_standardized_errors.openapi_validation_errors import extend_validation_errors
from rest_framework import status
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from users import services
from users.api import schema, serializers
from users.api.errors import as_api_errors
from users.api.throttles import LoginThrottle, MailThrottle
from users.models import User

REGISTERED = "Almost done: open the link that was mailed to this address."
BEARER = 'Bearer realm="api"'


def checked(serializer_class: type[Serializer], request: Request, **options: Any) -> dict[str, Any]:
    serializer = serializer_class(data=request.data, **options)
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


def account(request: Request) -> User:
    """The user of a view that only signed-in users reach."""
    return cast(User, request.user)


class PublicView(APIView):
    """Open to everybody; a bearer token sent along is not looked at, so that a stale one does no harm."""

    authentication_classes: list[type] = []
    permission_classes = [AllowAny]

    def get_authenticate_header(self, request: Request) -> str:
        return BEARER


@extend_validation_errors(["username_taken"], field_name="username", methods=["post"])
@extend_validation_errors(
    [
        "password_too_short",
        "password_too_common",
        "password_entirely_numeric",
        "password_too_similar",
    ],
    field_name="password",
    methods=["post"],
)
class RegisterView(PublicView):
    throttle_classes = [MailThrottle]
    throttle_scope = "register"

    @extend_schema(
        operation_id="users_register",
        request=serializers.RegistrationSerializer,
        responses={201: serializers.DetailSerializer},
        description="Opens an account and mails a link that verifies its address. The answer is the same when the "
        "address has an account already; its owner is then told by mail. `username_taken` depends on the "
        "username alone.",
    )
    def post(self, request: Request) -> Response:
        data = checked(serializers.RegistrationSerializer, request)
        with as_api_errors():
            services.register_user(**data)
        return Response({"detail": REGISTERED}, status=status.HTTP_201_CREATED)


@extend_validation_errors(["token_invalid", "token_expired", "token_used"], field_name="token", methods=["post"])
class VerifyEmailView(PublicView):
    throttle_scope = "login"

    @extend_schema(
        operation_id="users_verify_email",
        request=serializers.VerifyEmailSerializer,
        responses={200: serializers.VerifyEmailSerializer},
        description="Verifies the address that the link with this token was mailed to. A link works once.",
    )
    def post(self, request: Request) -> Response:
        data = checked(serializers.VerifyEmailSerializer, request)
        with as_api_errors():
            user = services.verify_email(token=data["token"])
        return Response(serializers.VerifyEmailSerializer(user).data)


class AcceptEmailView(PublicView):
    throttle_classes = [MailThrottle]
    throttle_scope = "mail"


class ResendVerificationView(AcceptEmailView):
    @extend_schema(
        operation_id="users_verify_email_resend",
        request=serializers.EmailSerializer,
        responses={202: schema.ACCEPTED},
        description="Mails a fresh verification link, if the address has an account that is not verified yet.",
    )
    def post(self, request: Request) -> Response:
        services.send_verification(email=checked(serializers.EmailSerializer, request)["email"])
        return Response(status=status.HTTP_202_ACCEPTED)


class PasswordResetView(AcceptEmailView):
    @extend_schema(
        operation_id="users_password_reset",
        request=serializers.EmailSerializer,
        responses={202: schema.ACCEPTED},
        description="Mails a link that sets a new password, if the address has an account.",
    )
    def post(self, request: Request) -> Response:
        services.request_password_reset(email=checked(serializers.EmailSerializer, request)["email"])
        return Response(status=status.HTTP_202_ACCEPTED)


@extend_validation_errors(["token_invalid"], field_name="token", methods=["post"])
class PasswordResetConfirmView(PublicView):
    throttle_scope = "login"

    @extend_schema(
        operation_id="users_password_reset_confirm",
        request=serializers.PasswordResetConfirmSerializer,
        responses={204: OpenApiResponse(description="The password is set, and every log-in has ended.")},
        description="Sets a password by a mailed link, which works once, for an hour. It verifies the address too.",
    )
    def post(self, request: Request) -> Response:
        data = checked(serializers.PasswordResetConfirmSerializer, request)
        with as_api_errors():
            services.reset_password(**data)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_validation_errors(["password_incorrect"], field_name="old_password", methods=["post"])
class PasswordChangeView(APIView):
    throttle_classes = [LoginThrottle]
    throttle_scope = "login"

    @extend_schema(
        operation_id="users_password_change",
        request=serializers.PasswordChangeSerializer,
        responses={200: serializers.TokenPairSerializer},
        description="Changes the password. Every refresh token ends; the answer holds a new pair for this device.",
    )
    def post(self, request: Request) -> Response:
        data = checked(serializers.PasswordChangeSerializer, request)
        with as_api_errors(weak_in="new_password"):
            pair = services.change_password(account(request), **data)
        services.forget_attempts(rate=LoginThrottle.address_rate, address=account(request).email)
        return Response(asdict(pair))


class TokenView(PublicView):
    throttle_classes = [LoginThrottle]
    throttle_scope = "login"

    @extend_schema(
        operation_id="users_token",
        request=serializers.LoginSerializer,
        responses={200: serializers.TokenPairSerializer, 401: schema.LOGIN_REFUSED},
        description="Logs in. The case of the address does not matter.",
    )
    def post(self, request: Request) -> Response:
        data = checked(serializers.LoginSerializer, request)
        user = authenticate(request, email=data["email"], password=data["password"])
        if user is None:
            raise AuthenticationFailed("No active account has this address and password.", code="no_active_account")
        with as_api_errors():
            pair = services.issue_tokens(user)
        services.forget_attempts(rate=LoginThrottle.address_rate, address=data["email"])
        return Response(asdict(pair))


class TokenRefreshView(PublicView):
    @extend_schema(
        operation_id="users_token_refresh",
        request=serializers.RefreshSerializer,
        responses={200: serializers.TokenPairSerializer, 401: schema.TOKEN_REFUSED},
        description="Trades a refresh token for a new pair. A refresh token works once.",
    )
    def post(self, request: Request) -> Response:
        data = checked(serializers.RefreshSerializer, request)
        with as_api_errors():
            pair = services.rotate_refresh_token(data["refresh"])
        return Response(asdict(pair))


class TokenBlacklistView(PublicView):
    @extend_schema(
        operation_id="users_token_blacklist",
        request=serializers.RefreshSerializer,
        responses={204: OpenApiResponse(description="Logged out."), 401: schema.TOKEN_REFUSED},
        description="Logs out: the refresh token works no more. Access tokens live to their own end, 15 minutes.",
    )
    def post(self, request: Request) -> Response:
        data = checked(serializers.RefreshSerializer, request)
        with as_api_errors():
            services.end_refresh_token(data["refresh"])
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_validation_errors(["username_taken"], field_name="username", methods=["patch"])
class MeView(APIView):
    @extend_schema(operation_id="users_me", responses=serializers.MeSerializer)
    def get(self, request: Request) -> Response:
        return Response(serializers.MeSerializer(request.user).data)

    @extend_schema(
        operation_id="users_me_update",
        request=serializers.MeSerializer,
        responses=serializers.MeSerializer,
        description="Changes names and username. The e-mail address cannot be changed here.",
    )
    def patch(self, request: Request) -> Response:
        changes = checked(serializers.MeSerializer, request, instance=request.user, partial=True)
        with as_api_errors():
            user = services.update_profile(account(request), **changes)
        return Response(serializers.MeSerializer(user).data)
