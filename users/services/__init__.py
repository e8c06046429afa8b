from users.services.attempts import claim_attempt, flush_attempts, forget_attempts
from users.services.closing import close_account, on_close
from users.services.errors import (
    CredentialsChanged,
    LinkExpired,
    LinkInvalid,
    LinkProblem,
    LinkUsed,
    PasswordIncorrect,
    UsernameTaken,
)
from users.services.passwords import change_password, request_password_reset, reset_password
from users.services.registration import is_username_taken, register_user, update_profile
from users.services.tokens import (
    TokenPair,
    end_refresh_token,
    end_refresh_tokens,
    flush_expired_tokens,
    issue_tokens,
    rotate_refresh_token,
)
from users.services.verification import send_verification, verification_token, verify_email

__all__ = [
    "CredentialsChanged",
    "LinkExpired",
    "LinkInvalid",
    "LinkProblem",
    "LinkUsed",
    "PasswordIncorrect",
    "TokenPair",
    "UsernameTaken",
    "change_password",
    "claim_attempt",
    "close_account",
    "end_refresh_token",
    "end_refresh_tokens",
    "flush_attempts",
    "flush_expired_tokens",
    "forget_attempts",
    "is_username_taken",
    "issue_tokens",
    "on_close",
    "register_user",
    "request_password_reset",
    "reset_password",
    "rotate_refresh_token",
    "send_verification",
    "update_profile",
    "verification_token",
    "verify_email",
]
