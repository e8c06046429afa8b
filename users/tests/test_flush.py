from datetime import timedelta

import pytest
from celery import current_app
from django.core.management import call_command
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from users.services import issue_tokens
from users.tests.factories import make_user


def by_task():
    current_app.tasks["users.flush_expired_tokens"].delay()


def by_command():
    call_command("flush_expired_logins")


@pytest.mark.django_db
@pytest.mark.parametrize("flush", [by_task, by_command])
def test_refresh_tokens_past_their_end_are_deleted_and_others_kept(flush):
    user = make_user()
    issue_tokens(user)
    OutstandingToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    issue_tokens(user)
    flush()
    assert OutstandingToken.objects.count() == 1
