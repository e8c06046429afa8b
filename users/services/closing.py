from collections.abc import Callable

from django.db import transaction

from users.models import User
from users.services.tokens import end_refresh_tokens

Closer = Callable[[User], object]
_closers: list[Closer] = []


def on_close(closer: Closer) -> None:
    """Have `closer` called inside the transaction in which an account is closed; for the apps above this one."""
    _closers.append(closer)


@transaction.atomic
def close_account(user: User) -> None:
    """Take an account out of use: no log-in, no refresh token, and nothing that goes on in other apps."""
    User.objects.filter(pk=user.pk).update(is_active=False)
    user.is_active = False
    end_refresh_tokens(user)
    for closer in _closers:
        closer(user)
