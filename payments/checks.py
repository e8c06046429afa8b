from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register

from payments import configuration


@register(Tags.security)
def check_stripe_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    return [Error(problem.message, hint=problem.hint, id=problem.id) for problem in configuration.problems()]
