"""The parts that a configured host of ours is put together from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from django.utils.module_loading import import_string

from videos.hosted.seams.delivery import Delivery
from videos.hosted.seams.encoder import Encoder
from videos.hosted.seams.keys import KeyStore
from videos.hosted.seams.licence import LicenceBackend
from videos.hosted.seams.store import Store
from videos.providers.exceptions import ProviderMisconfigured, UnknownProvider
from videos.providers.registry import providers

_DELIVERY = "videos.hosted.deliveries.django.DjangoDelivery"
_ENCODER = "videos.hosted.encoders.ffmpeg.FfmpegEncoder"
_LICENCES = ("videos.hosted.licences.clearkey.ClearKey", "videos.hosted.licences.raw_key.RawKey")

Part = Mapping[str, Any]
"""`{"BACKEND": dotted path, "OPTIONS": {…}}`, as in Django's STORAGES."""


@dataclass(frozen=True, kw_only=True)
class HostParts:
    """The OPTIONS of a host of ours. Each part is built when it is asked for; sizes in bytes, times in seconds.

    `former_key_stores` open what they wrapped and wrap nothing new (`rewrap_content_keys` moves it to `key_store`).
    `work_dir` is where workers of this machine put intermediate files. `upload_part_bytes` is the size of a multipart
    upload's parts, raised for files that would need more than 10,000; `tus_chunk_bytes` that of the requests of an
    upload through this server, for proxies that limit a body. A worker that was not heard of for `step_lease_s` is
    thought dead; a step that could not be done is tried again after `step_retry_s`, then after twice that, and so on.
    """

    store: Part = field(repr=False)
    key_store: Part = field(repr=False)
    work_dir: str
    delivery: Part = field(default_factory=lambda: {"BACKEND": _DELIVERY}, repr=False)
    encoder: Part = field(default_factory=lambda: {"BACKEND": _ENCODER}, repr=False)
    former_key_stores: Sequence[Part] = field(default=(), repr=False)
    licences: Sequence[Part] = field(default_factory=lambda: [{"BACKEND": path} for path in _LICENCES], repr=False)
    upload_max_bytes: int = 50 * 1000**3
    upload_part_bytes: int = 16 * 1024**2
    tus_chunk_bytes: int = 64 * 1024**2
    upload_ttl_s: int = 24 * 3600
    keeps_sources: bool = True
    licence_s: int = 3600
    licence_token_s: int = 120
    licences_per_5_min: int = 30
    retired_package_s: int = 24 * 3600
    step_lease_s: float = 60
    step_retry_s: float = 60

    def get_store(self) -> Store:
        return cast(Store, build(self.store))

    def get_key_store(self) -> KeyStore:
        return cast(KeyStore, build(self.key_store))

    def get_former_key_stores(self) -> Sequence[KeyStore]:
        return [cast(KeyStore, build(part)) for part in self.former_key_stores]

    def get_delivery(self) -> Delivery:
        return cast(Delivery, build(self.delivery))

    def get_encoder(self) -> Encoder:
        return cast(Encoder, build(self.encoder))

    def get_licences(self) -> Sequence[LicenceBackend]:
        return [cast(LicenceBackend, build(part)) for part in self.licences]

    @property
    def work_path(self) -> Path:
        return Path(self.work_dir)


def build(part: Part) -> Any:
    """The object that a part describes; raises ProviderMisconfigured."""
    try:
        return import_string(part["BACKEND"])(**part.get("OPTIONS", {}))
    except (KeyError, ImportError, TypeError) as error:
        raise ProviderMisconfigured(f"A part of a host of ours cannot be built: {error}") from error


def host(alias: str) -> HostParts:
    """The host of ours with this alias; raises ProviderMisconfigured for one that is none."""
    try:
        found = providers[alias]
    except UnknownProvider as error:
        raise ProviderMisconfigured(str(error)) from error
    if not isinstance(found, HostParts):
        raise ProviderMisconfigured(f'"{alias}" is not a host of ours.')
    return found


def hosts() -> dict[str, HostParts]:
    """All hosts of ours by alias; one that cannot be built raises ProviderMisconfigured."""
    return {alias: found for alias in providers if isinstance(found := providers[alias], HostParts)}
