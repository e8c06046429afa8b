import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command

from eleven_tutors.tests.standing_rows import STANDING


def found() -> dict:
    return {model: set(model._default_manager.values_list()) for model in STANDING}


@pytest.mark.django_db
def test_what_a_flush_puts_back_is_what_a_migrate_fills_in():
    before = found()
    assert all(before.values())
    call_command("flush", verbosity=0, interactive=False)
    assert found() == before
    call_command("migrate", verbosity=0)
    assert found() == before
    assert Group.objects.create(name="The next").pk not in {pk for pk, *_ in before[Group]}
