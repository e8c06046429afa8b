"""The record of the licence server: one row an answer, without key material."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import DatabaseError, IntegrityError, transaction

from videos.hosted.models import Licence, LicenceKind, SpentToken
from videos.hosted.services.licence_server.licence_limits import ISSUED, refusal_quota
from videos.providers.exceptions import ProviderMisconfigured
from videos.services.errors import LicenceRefused, LicenceUnavailable, VideosError

logger = logging.getLogger(__name__)

UNUSABLE_RETRY_S = 300
"""Somebody has to put a setting right."""


@dataclass(kw_only=True)
class Attempt:
    """One request for a licence, as far as it is understood by now. `ip` is empty when unknown."""

    system: str
    ip: str
    kind: LicenceKind = LicenceKind.FIRST
    session_pk: int | None = None
    user_id: Any = None
    video_id: UUID | None = None
    key_pk: int | None = None
    device: str = ""
    started: float = field(default_factory=time.monotonic)

    def row(self, result: str, *, valid_s: int | None = None) -> Licence:
        return Licence(
            system=self.system[:16],
            kind=self.kind,
            result=result[:64],
            session_id=self.session_pk,
            user_id=self.user_id,
            video_id=self.video_id,
            key_id=self.key_pk,
            device=self.device,
            ip=self.ip or None,
            valid_s=valid_s,
            took_ms=round((time.monotonic() - self.started) * 1000),
        )


@contextmanager
def refusals_noted(attempt: Attempt) -> Iterator[None]:
    """Write down a refusal that leaves this block; one that cannot be written is logged and stays the same refusal."""
    try:
        with _misconfiguration_told():
            yield
    except VideosError as refusal:
        sources = [f"session {attempt.session_pk}"] if attempt.session_pk else []
        if refusal_quota.take(*sources, f"address {attempt.ip}"):
            _note(attempt, refusal.code)
        raise


@contextmanager
def _misconfiguration_told() -> Iterator[None]:
    try:
        yield
    except ProviderMisconfigured as error:
        logger.error("No licence is given: %s", error)
        raise LicenceUnavailable("host_misconfigured", retry_after_s=UNUSABLE_RETRY_S) from error


def note_issued(attempt: Attempt, *, valid_s: int, spent: Mapping[str, SpentToken]) -> None:
    """Spend what is good once and write the licence down, both or neither.

    `spent` is by the code that is raised as LicenceRefused for what was spent before.
    """
    try:
        with transaction.atomic():
            if spent:
                SpentToken.objects.bulk_create(spent.values())
            attempt.row(ISSUED, valid_s=valid_s).save(force_insert=True)
    except IntegrityError:
        for code, token in spent.items():
            if SpentToken.objects.filter(token_id=token.token_id).exists():
                raise LicenceRefused(code) from None
        raise


def _note(attempt: Attempt, code: str) -> None:
    try:
        with transaction.atomic():
            attempt.row(code).save(force_insert=True)
    except DatabaseError:
        logger.exception("A refused licence (%s) could not be written down.", code)
