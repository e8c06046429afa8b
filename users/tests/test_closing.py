import pytest
from rest_framework_simplejwt.exceptions import TokenError

from users.services import close_account, issue_tokens, rotate_refresh_token
from users.tests.factories import make_user


@pytest.mark.django_db
def test_a_closed_account_keeps_no_refresh_token():
    user = make_user()
    tokens = issue_tokens(user)
    close_account(user)
    user.refresh_from_db()
    assert user.is_active is False
    with pytest.raises(TokenError):
        rotate_refresh_token(tokens.refresh)
