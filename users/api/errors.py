"""How this app's exceptions and those of Django and simplejwt read in the API."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework.exceptions import AuthenticationFailed, ErrorDetail, ValidationError
from rest_framework.fields import get_error_detail
from rest_framework_simplejwt.exceptions import TokenError

from users.services import CredentialsChanged, LinkProblem, PasswordIncorrect, UsernameTaken


@contextmanager
def as_api_errors(*, weak_in: str = "password") -> Iterator[None]:
    """Turn what a service raises into an error of the API; a weak password is reported under the field `weak_in`."""
    try:
        yield
    except UsernameTaken:
        detail = "This username is taken. If the account is yours, log in or reset its password."
        raise _invalid("username", detail, "username_taken") from None
    except LinkProblem as problem:
        raise _invalid("token", problem.detail, problem.code) from None
    except PasswordIncorrect:
        raise _invalid("old_password", "This is not your present password.", "password_incorrect") from None
    except DjangoValidationError as error:
        raise ValidationError({weak_in: get_error_detail(error)}) from None
    except CredentialsChanged:
        raise AuthenticationFailed("Log in again.", code="credentials_changed") from None
    except TokenError:
        raise AuthenticationFailed("The token is invalid, expired or used.", code="token_not_valid") from None


def _invalid(field: str, detail: str, code: str) -> ValidationError:
    return ValidationError({field: [ErrorDetail(detail, code=code)]})
