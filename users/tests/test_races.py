import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.tokens import default_token_generator
from django.db import connection
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from users.models import AddressAttempts, User
from users.services import (
    CredentialsChanged,
    LinkInvalid,
    LinkUsed,
    change_password,
    claim_attempt,
    end_refresh_tokens,
    forget_attempts,
    issue_tokens,
    register_user,
    reset_password,
    rotate_refresh_token,
    verification_token,
    verify_email,
)
from users.tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def all_at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What each call gave or raised, all started at the same moment."""
    barrier, outcomes = threading.Barrier(len(calls)), []

    def run(call: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            outcomes.append(call())
        except Exception as error:
            outcomes.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_one_link_opened_eight_times_at_once_verifies_once(sandbox):
    token = verification_token(make_user(email_verified_at=None))
    outcomes = all_at_once(*[lambda: verify_email(token=token)] * 8)
    assert sum(isinstance(outcome, User) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, LinkUsed) for outcome in outcomes) == 7


def test_eight_registrations_of_one_address_open_one_account(sandbox):
    outcomes = all_at_once(
        *[
            lambda n=n: register_user(
                email=f"{'Ada' if n % 2 else 'ada'}@example.test", username=f"a{n}", password=PASSWORD
            )
            for n in range(8)
        ]
    )
    assert outcomes == [None] * 8
    assert User.objects.count() == 1
    subjects = [mail["subject"] for mail in sandbox.messages()]
    assert (subjects.count("Confirm your e-mail address"), subjects.count("You already have an account")) == (1, 7)


def test_one_refresh_token_used_eight_times_at_once_gives_one_pair():
    raw = issue_tokens(make_user()).refresh
    outcomes = all_at_once(*[lambda: rotate_refresh_token(raw)] * 8)
    assert sum(isinstance(outcome, TokenError) for outcome in outcomes) == 7


def test_one_reset_link_used_at_once_sets_one_password(sandbox):
    user = make_user()
    uid, token = urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)
    outcomes = all_at_once(
        *[lambda n=n: reset_password(uid=uid, token=token, password=f"horse battery {n}") for n in range(4)]
    )
    assert sum(isinstance(outcome, LinkInvalid) for outcome in outcomes) == 3


def test_no_refresh_token_survives_a_password_change_in_between(sandbox):
    user = make_user()
    raw = issue_tokens(user).refresh
    changed = User.objects.get(pk=user.pk)
    outcomes = all_at_once(
        lambda: change_password(changed, old_password=PASSWORD, new_password="a much better battery"),
        lambda: rotate_refresh_token(raw),
        lambda: issue_tokens(user),
    )
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == [
        outcome for outcome in outcomes if isinstance(outcome, TokenError | CredentialsChanged)
    ]
    assert OutstandingToken.objects.filter(user=user, blacklistedtoken=None).count() == 1


def test_a_log_in_checked_before_a_password_change_ends_with_it(sandbox):
    user = make_user()
    change_password(User.objects.get(pk=user.pk), old_password=PASSWORD, new_password="a much better battery")
    with pytest.raises(CredentialsChanged):
        issue_tokens(user)


def test_guesses_at_once_are_all_counted(set_rate):
    set_rate("login_address", "3/hour")
    outcomes = all_at_once(*[lambda: claim_attempt(rate="login_address", address="ada@example.test")] * 8)
    assert outcomes.count(0) == 3
    assert AddressAttempts.objects.get().count == 3


def test_counts_started_afresh_in_between_break_no_attempt():
    attempt = {"rate": "login_address", "address": "ada@example.test"}

    def log_in_again_and_again() -> list[int]:
        waits = []
        for _ in range(40):
            waits.append(claim_attempt(**attempt))
            forget_attempts(**attempt)
        return waits

    outcomes = all_at_once(*[log_in_again_and_again] * 6)
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []


def test_no_refresh_token_survives_a_log_out_everywhere_in_between():
    user = make_user()
    token = issue_tokens(user).refresh

    def keep_rotating() -> None:
        newest, deadline = token, time.monotonic() + 3
        while time.monotonic() < deadline:
            newest = rotate_refresh_token(newest).refresh

    def end_all() -> None:
        time.sleep(0.2)
        end_refresh_tokens(user)

    rotating, ending = sorted(all_at_once(keep_rotating, end_all), key=lambda outcome: outcome is None)
    assert (type(rotating), ending) == (TokenError, None)
    assert OutstandingToken.objects.filter(blacklistedtoken=None).count() == 0
