from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from courses.money import CURRENCIES


@register
def check_currencies(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuses a currency whose smallest unit and least charge are not known here, so that no amount can be misread."""
    unknown = [code for code in settings.COURSE_CURRENCIES if code not in CURRENCIES]
    if not unknown:
        return []
    message = f"COURSE_CURRENCIES names {', '.join(unknown)}, which courses cannot be sold in."
    return [Error(message, hint=f"Known, in lower case: {', '.join(CURRENCIES)}.", id="courses.E001")]
