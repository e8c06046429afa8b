import pytest
from django.test import Client, RequestFactory

from eleven_tutors.error_pages import server_error


def test_an_unknown_address_of_the_api_answers_in_the_apis_words():
    answer = Client().get("/api/nothing/here/")
    assert answer.status_code == 404
    assert answer.json() == {
        "type": "client_error",
        "errors": [{"code": "not_found", "detail": "Not found.", "attr": None}],
    }


def test_an_unknown_page_is_a_page():
    answer = Client().get("/nothing/here")
    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(("path", "kind"), [("/api/x/", "application/json"), ("/x", "text/html")])
def test_a_defect_shows_nothing_of_itself(path, kind):
    answer = server_error(RequestFactory().get(path))
    assert answer.status_code == 500
    assert answer["Content-Type"].startswith(kind)


def test_a_browser_on_another_origin_may_name_its_device(settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://school.example"]
    answer = Client().options(
        "/api/courses/lessons/x/",
        headers={
            "Origin": "https://school.example",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "authorization,x-device-id",
        },
    )
    assert "x-device-id" in answer["Access-Control-Allow-Headers"]
    assert "authorization" in answer["Access-Control-Allow-Headers"]
