"""Captions belong to a video; each copy's host is sent them, and told to remove them, until it has done so."""

import hashlib
import logging
import re
import unicodedata
from datetime import datetime
from functools import partial
from uuid import UUID

from django.conf.locale import LANG_INFO
from django.db import models, transaction
from django.utils import timezone

from videos import conf, vtt
from videos.models import Asset, AssetStatus, Caption, CaptionPush, PushState, Video
from videos.providers.base import VideoProvider
from videos.providers.exceptions import (
    AssetNotFound,
    ProviderMisconfigured,
    Rejected,
    UnknownProvider,
    UnsupportedOperation,
    VideoProviderError,
)
from videos.providers.registry import providers
from videos.providers.types import CaptionFile
from videos.services.delays import backoff
from videos.services.errors import InvalidRequest
from videos.services.host_calls import ask_host, usable_provider

logger = logging.getLogger(__name__)

MAX_LANGUAGES = 100
MAX_ATTEMPTS = 100
PUSH_BATCH = 100
# Control characters and halves of characters; joiners, which some scripts need, are of the category Cf.
_NOT_IN_LABELS = ("Cc", "Cs")
NOT_READY = "not_ready"
# https://www.rfc-editor.org/rfc/rfc5646#section-2.1, without extensions and grandfathered tags.
_LANGUAGE = re.compile(
    r"(?P<language>[a-z]{2,3}|[a-z]{5,8})(-(?P<script>[a-z]{4}))?(-(?P<region>[a-z]{2}|\d{3}))?"
    r"(?P<variants>(-([a-z0-9]{5,8}|\d[a-z0-9]{3}))*)",
    re.IGNORECASE | re.ASCII,
)


def put_caption(*, video: Video, language: str, label: str, body: bytes) -> Caption:
    """Give the video captions in one language, in place of those it had; they go to its host soon.

    `body` is WebVTT, `label` what a viewer reads, by default the language's own name. Raises InvalidRequest
    (`caption_too_large`, `caption_invalid`, `caption_is_srt`, `language_invalid`, `too_many_captions`).
    """
    language = language_tag(language)
    text = check_caption(body)
    label = _clean_label(label) or language_name(language)
    values = {"label": label, "body": text, "digest": _digest(label, text), "needs_check": False}
    with transaction.atomic():
        _lock(video)
        known = set(Caption.objects.filter(video=video).values_list("language", flat=True))
        if language not in known and len(known) >= MAX_LANGUAGES:
            raise InvalidRequest(
                "too_many_captions", attr="language", detail=f"A video has captions in {MAX_LANGUAGES} languages."
            )
        caption, _ = Caption.objects.update_or_create(video=video, language=language, defaults=values)
        _tell(video, language)
    return caption


def change_caption(*, video: Video, language: str, label: str, is_checked: bool = False) -> bool:
    """Give the captions in one language another label, by default the language's own name; tells whether there are any.

    `is_checked` says that somebody looked, and their timing fits the video.
    """
    language = language_tag(language)
    with transaction.atomic():
        _lock(video)
        caption = Caption.objects.filter(video=video, language=language).first()
        if caption is None:
            return False
        caption.label = _clean_label(label) or language_name(language)
        caption.digest = _digest(caption.label, caption.body)
        caption.needs_check = caption.needs_check and not is_checked
        caption.save(update_fields=["label", "digest", "needs_check", "updated_at"])
        _tell(video, language)
    return True


def delete_caption(*, video: Video, language: str) -> bool:
    """Remove the captions in one language, here at once and at the host soon; gives whether there were any."""
    language = language_tag(language)
    with transaction.atomic():
        _lock(video)
        deleted, _ = Caption.objects.filter(video=video, language=language).delete()
        if deleted:
            _tell(video, language)
    return bool(deleted)


def mark_for_check(video_id: UUID) -> None:
    """Ask for a look at the timing of all captions: the copy that is played has another length now."""
    Caption.objects.filter(video_id=video_id).update(needs_check=True)


def queue_pushes(asset: Asset, *, language: str = "") -> int:
    """Owe the host of this copy whatever differs from what it was sent last; gives how many languages.

    With `language` that one alone is looked at.
    """
    if not _takes_captions(asset):
        return 0
    now = timezone.now()
    only = {"language": language} if language else {}
    wanted = dict(Caption.objects.filter(video_id=asset.video_id, **only).values_list("language", "digest"))
    owed: list[int] = []
    with transaction.atomic():
        rows = CaptionPush.objects.select_for_update(no_key=True).filter(asset=asset, **only)
        pushes = {push.language: push for push in rows}
        for name, digest in wanted.items():
            push = pushes.get(name) or CaptionPush(asset=asset, language=name)
            if push.pk is None or push.pushed_digest != digest or push.state == PushState.REMOVING:
                owed.append(_owe(push, PushState.DUE, now))
        owed += [_owe(push, PushState.REMOVING, now) for name, push in pushes.items() if name not in wanted]
        for push_id in owed:
            conf.enqueue("videos.push_caption", push_id)
    return len(owed)


def push_due() -> int:
    """Have everything sent that is due; gives how many languages. Safe to run at once: each is claimed first."""
    due = CaptionPush.objects.filter(due_at__lte=timezone.now()).order_by("due_at").values_list("pk", flat=True)
    ids = list(due[:PUSH_BATCH])
    for push_id in ids:
        conf.enqueue("videos.push_caption", push_id)
    return len(ids)


def push_caption(push_id: int) -> None:
    """Bring one language at one copy's host to what it should be; nothing happens before it is due.

    A host that is not ready or cannot answer is asked again later; one that refuses the captions is not.
    """
    push = CaptionPush.objects.select_related("asset").filter(pk=push_id, due_at__lte=timezone.now()).first()
    if push is None or not _claim(push):
        return
    if push.asset.status == AssetStatus.DELETED:
        push.delete()
        return
    if push.asset.status != AssetStatus.READY:
        return
    try:
        _bring_up_to_date(push, providers[push.asset.provider])
    except (UnsupportedOperation, AssetNotFound) as error:
        _fail(push, error.code)
    except Rejected as error:
        if error.code == NOT_READY:
            _note(push, error.code)
        else:
            _fail(push, error.code)
    except (VideoProviderError, UnknownProvider, ProviderMisconfigured) as error:
        _note(push, getattr(error, "code", "host_misconfigured"))


def check_caption(body: bytes) -> str:
    """The captions as `put_caption` keeps them; raises InvalidRequest as it does, with the line in its detail."""
    limit = conf.caption_max_bytes()
    if len(body) > limit:
        raise InvalidRequest("caption_too_large", attr="file", detail=f"Captions are limited to {limit} bytes.")
    try:
        return vtt.normalise(body)
    except vtt.VttError as error:
        raise InvalidRequest(error.code, attr="file", detail=f"Line {error.line}: {error.detail}") from error


def language_tag(written: str) -> str:
    """The BCP 47 tag in its usual case, such as `pt-BR`; raises InvalidRequest (`language_invalid`)."""
    found = _LANGUAGE.fullmatch(written.strip()) if len(written) <= 35 else None
    if found is None:
        raise InvalidRequest(
            "language_invalid", attr="language", detail="This is no language tag such as en, pt-BR or zh-Hans."
        )
    parts = [found["language"].lower(), (found["script"] or "").title(), (found["region"] or "").upper()]
    return "-".join(part for part in parts if part) + found["variants"].lower()


def language_name(tag: str) -> str:
    """The language's name in itself, as far as Django knows it, else the tag."""
    for key in (tag.lower(), tag.lower().split("-")[0]):
        info = LANG_INFO.get(key, {})
        name = info.get("name_local") or LANG_INFO.get(info.get("fallback", [""])[0], {}).get("name_local")
        if name:
            return str(name)
    return tag


def _lock(video: Video) -> None:
    Video.objects.select_for_update(no_key=True).get(pk=video.pk)


def _clean_label(label: str) -> str:
    kept = "".join(sign for sign in " ".join(label.split()) if unicodedata.category(sign) not in _NOT_IN_LABELS)
    return kept[:100].strip()


def _digest(label: str, text: str) -> str:
    return hashlib.sha256(f"{label}\n{text}".encode()).hexdigest()


def _tell(video: Video, language: str) -> None:
    tracks = list(Caption.objects.filter(video=video).values("language", "label"))
    video.caption_tracks = tracks
    Video.objects.filter(pk=video.pk).update(caption_tracks=tracks)
    current = Asset.objects.filter(video=video, is_current=True).first()
    if current is not None:
        queue_pushes(current, language=language)


def _takes_captions(asset: Asset) -> bool:
    provider = usable_provider(asset.provider)
    return provider is not None and provider.supports_captions and asset.status != AssetStatus.DELETED


def _owe(push: CaptionPush, state: PushState, now: datetime) -> int:
    push.state, push.due_at, push.attempts, push.last_error = state, now, 0, ""
    push.save()
    return push.pk


def _claim(push: CaptionPush) -> bool:
    """Take the push for one attempt: `due_at` moves to when the next may be made, and marks whose attempt this is."""
    retry_at = timezone.now() + backoff(push.attempts)
    mine = CaptionPush.objects.filter(pk=push.pk, due_at=push.due_at)
    is_mine = mine.update(due_at=retry_at, attempts=min(push.attempts + 1, 1000))
    push.due_at, push.attempts = retry_at, push.attempts + 1
    return bool(is_mine)


def _bring_up_to_date(push: CaptionPush, provider: VideoProvider) -> None:
    asset, language = push.asset, push.language
    caption = Caption.objects.filter(video_id=asset.video_id, language=language).first()
    if caption is None:
        ask_host(partial(provider.delete_caption, asset.host_id, language))
        done, _ = _mine(push).delete()
    else:
        file = CaptionFile(language=language, label=caption.label, body=caption.body)
        ask_host(partial(provider.put_caption, asset.host_id, file))
        done = _mine(push).update(
            state=PushState.DONE, pushed_digest=caption.digest, due_at=None, last_error="", attempts=0
        )
    if not done:
        _send_again(asset, language)


def _send_again(asset: Asset, language: str) -> None:
    """Send the present state once more: it changed during a call, and which call arrived last is unknown."""
    with transaction.atomic():
        push, _ = CaptionPush.objects.get_or_create(asset=asset, language=language)
        CaptionPush.objects.filter(pk=push.pk).update(pushed_digest="")
        queue_pushes(asset, language=language)


def _mine(push: CaptionPush) -> models.QuerySet[CaptionPush]:
    return CaptionPush.objects.filter(pk=push.pk, due_at=push.due_at)


def _note(push: CaptionPush, code: str) -> None:
    if push.attempts >= MAX_ATTEMPTS:
        _fail(push, code)
    else:
        _mine(push).update(last_error=code[:255])


def _fail(push: CaptionPush, code: str) -> None:
    logger.warning("Captions %s of asset %s were not taken: %s", push.language, push.asset_id, code)
    _mine(push).update(state=PushState.FAILED, due_at=None, last_error=code[:255])
