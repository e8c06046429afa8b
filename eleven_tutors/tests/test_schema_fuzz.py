"""Whatever the API's own schema allows never makes the server fail."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from rest_framework.throttling import SimpleRateThrottle
from schemathesis.checks import not_a_server_error

from courses.tests.factories import make_course
from users.tests.factories import auth_client, make_user

EXAMPLES = 10
PARTS = 4
PATIENCE_S = 60
FIXED_AND_FEW = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def authorization(live_server, sandbox, monkeypatch) -> dict[str, str]:
    unlimited = dict.fromkeys(SimpleRateThrottle.THROTTLE_RATES, "1000000/min")
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", unlimited)
    make_course()
    client = auth_client(make_user(is_staff=True, is_superuser=True))
    return {"Authorization": client._credentials["HTTP_AUTHORIZATION"]}


@pytest.mark.parametrize("part", range(PARTS))
def test_no_request_that_fits_the_schema_makes_the_server_fail(part, live_server, authorization):
    schema = schemathesis.openapi.from_url(f"{live_server.url}/api/schema/", timeout=PATIENCE_S)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 30
    for operation in operations[part::PARTS]:

        @FIXED_AND_FEW
        @given(case=operation.as_strategy())
        def never_fails(case):
            response = case.call(headers=authorization)
            case.validate_response(response, checks=[not_a_server_error])

        never_fails()
