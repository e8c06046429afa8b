"""Whatever the schema allows, and some of what it does not, never makes the server fail."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from rest_framework.throttling import SimpleRateThrottle
from schemathesis.checks import not_a_server_error

from courses.tests.factories import make_course
from eleven_tutors.wsgi import application
from users.tests.factories import auth_client, make_user

EXAMPLES = 12

schema = schemathesis.pytest.from_fixture("api_schema")


@pytest.fixture
def api_schema(db):
    return schemathesis.openapi.from_wsgi("/api/schema/", application)


@pytest.fixture
def authorization(db, sandbox, monkeypatch) -> dict[str, str]:
    unlimited = dict.fromkeys(SimpleRateThrottle.THROTTLE_RATES, "1000000/min")
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", unlimited)
    make_course(is_published=True)
    client = auth_client(make_user(is_staff=True, is_superuser=True))
    return {"Authorization": client._credentials["HTTP_AUTHORIZATION"]}


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_request_that_fits_the_schema_makes_the_server_fail(case, authorization):
    response = case.call(headers=authorization)
    case.validate_response(response, checks=[not_a_server_error])
