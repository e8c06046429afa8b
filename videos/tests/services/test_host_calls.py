import pytest
from django.db import connection, transaction

from videos.services.host_calls import ask_host


@pytest.fixture
def _pool(transactional_db):
    if connection.vendor != "sqlite":
        pytest.skip("a real pool needs psycopg 3; the setting alone is enough on SQLite")
    connection.ensure_connection()
    connection.settings_dict["OPTIONS"]["pool"] = True
    yield
    connection.settings_dict["OPTIONS"].pop("pool")


@pytest.mark.usefixtures("_pool")
def test_a_pooled_connection_is_given_back_before_the_host_is_asked():
    assert ask_host(lambda: connection.connection) is None


@pytest.mark.usefixtures("_pool")
def test_a_connection_inside_a_transaction_is_kept(transactional_db):
    with transaction.atomic():
        assert ask_host(lambda: connection.connection) is not None


def test_an_ordinary_connection_is_kept(transactional_db):
    connection.ensure_connection()
    assert ask_host(lambda: connection.connection) is not None
