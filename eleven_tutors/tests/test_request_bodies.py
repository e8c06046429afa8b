"""Bodies that nobody sends in good faith are the sender's fault, never ours."""

import pytest
from rest_framework.test import APIClient


def send(body: str, url: str = "/api/users/token/refresh/"):
    client = APIClient(raise_request_exception=False)
    return client.post(url, body, content_type="application/json")


@pytest.mark.parametrize("body", ["[" * 100_000, '{"refresh": ' * 100_000])
def test_json_nested_beyond_reason_is_malformed(body):
    answer = send(body)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "parse_error")


def test_a_huge_body_is_refused_unread(settings):
    answer = send('{"refresh": "' + "a" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE + '"}')
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (413, "too_large")
