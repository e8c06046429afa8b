"""Content keys made and wrapped by AWS KMS, bound to their row by the encryption context.

The licence server needs `kms:Decrypt`, workers `kms:GenerateDataKey` besides; `rewrap_content_keys` needs
`kms:ReEncryptFrom`, `kms:ReEncryptTo` and `kms:Encrypt`, and `kms:DescribeKey` where the key is named by an alias.
https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html
"""

import base64
import logging
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from videos.hosted.seams.keys import KeyStoreUnavailable, KeyUnreadable, NewKey, WrappedKey

KEY_BYTES = 16
_FORMAT = "kms1"
_DOES_NOT_OPEN = ("InvalidCiphertextException", "IncorrectKeyException", "ValidationException")
_TELL_BODIES = ("botocore.parsers", "botocore.endpoint")


@dataclass(frozen=True, kw_only=True)
class KmsKeyStore:
    """`key_id` is the ARN, id or alias (`alias/…`) of a symmetric key. Time-outs in seconds, for each of two attempts.

    Without `access_key_id` the usual places are looked into (environment, profile, role of the machine).
    """

    key_id: str
    region: str
    endpoint_url: str = ""
    access_key_id: str = field(default="", repr=False)
    secret_access_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)
    connect_timeout_s: float = 1.0
    read_timeout_s: float = 2.0

    @property
    def primary(self) -> str:
        """The ARN of the key: an alias may be given to another key. Waits for KMS unless `key_id` is an ARN."""
        if self.key_id.startswith("arn:") and ":key/" in self.key_id:
            return self.key_id
        return str(self._ask("describe_key", KeyId=self.key_id)["KeyMetadata"]["Arn"])

    def holds(self, wrapped_by: str) -> bool:
        """By the region alone: the blob itself names its key."""
        return wrapped_by.split(":")[2:4] == ["kms", self.region]

    def generate(self, context: Mapping[str, str]) -> NewKey:
        made = self._ask("generate_data_key", KeyId=self.key_id, KeySpec="AES_128", EncryptionContext=dict(context))
        return NewKey(plain=_sixteen(made["Plaintext"]), wrapped=_wrapped(made))

    def wrap(self, plain: bytes, context: Mapping[str, str]) -> WrappedKey:
        return _wrapped(self._ask("encrypt", KeyId=self.key_id, Plaintext=plain, EncryptionContext=dict(context)))

    def unwrap(self, blob: str, context: Mapping[str, str]) -> bytes:
        opened = self._ask("decrypt", CiphertextBlob=_sealed(blob), EncryptionContext=dict(context))
        return _sixteen(opened["Plaintext"])

    def rewrap(self, blob: str, context: Mapping[str, str]) -> WrappedKey:
        """The content key does not leave KMS."""
        return _wrapped(
            self._ask(
                "re_encrypt",
                CiphertextBlob=_sealed(blob),
                SourceEncryptionContext=dict(context),
                DestinationKeyId=self.key_id,
                DestinationEncryptionContext=dict(context),
            )
        )

    def probe(self) -> None:
        context = {"app": "videos", "purpose": "probe"}
        made = self.generate(context)
        if self.unwrap(made.wrapped.blob, context) != made.plain:
            raise KeyUnreadable("A wrapped key opened to another one.")

    def problems(self) -> Sequence[str]:
        found = [f"{name} of the KMS key store is empty." for name in ("key_id", "region") if not getattr(self, name)]
        if bool(self.access_key_id) != bool(self.secret_access_key):
            found.append("access_key_id and secret_access_key of the KMS key store belong together.")
        if self.key_id.startswith("arn:") and not self.holds(self.key_id):
            found.append(f"The KMS key {self.key_id} is not in the region {self.region}.")
        return found

    @property
    def _client(self) -> Any:
        with _client_lock:
            return _client(self, os.getpid())

    def _ask(self, operation: str, **params: Any) -> Mapping[str, Any]:
        try:
            with _untold:
                answer: Mapping[str, Any] = getattr(self._client, operation)(**params)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "an unknown error"))
            if code in _DOES_NOT_OPEN and operation in ("decrypt", "re_encrypt"):
                raise KeyUnreadable(f"AWS KMS does not open the wrapped key in this row: {code}.") from None
            raise KeyStoreUnavailable(f"AWS KMS refused {operation}: {code}.") from None
        except BotoCoreError as error:
            raise KeyStoreUnavailable(f"AWS KMS could not be asked for {operation}: {type(error).__name__}.") from None
        return answer


_client_lock = threading.Lock()


@lru_cache(maxsize=16)
def _client(store: KmsKeyStore, pid: int) -> Any:
    """One for each process: a client is safe among threads, its connections are not safe across a fork."""
    session = boto3.session.Session()
    return session.client(
        "kms",
        region_name=store.region,
        endpoint_url=store.endpoint_url or None,
        aws_access_key_id=store.access_key_id or None,
        aws_secret_access_key=store.secret_access_key or None,
        aws_session_token=store.session_token or None,
        config=Config(
            connect_timeout=store.connect_timeout_s,
            read_timeout=store.read_timeout_s,
            retries={"mode": "standard", "total_max_attempts": 2},
            max_pool_connections=32,
        ),
    )


class _BodiesUntold(logging.Filter):
    """At DEBUG, botocore logs the bodies of requests and answers, which hold plain keys: not while KMS is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.thread = threading.local()

    def filter(self, record: logging.LogRecord) -> bool:
        return not getattr(self.thread, "asks", False)

    def __enter__(self) -> None:
        self.thread.asks = True

    def __exit__(self, *error: object) -> None:
        self.thread.asks = False


_untold = _BodiesUntold()
for _name in _TELL_BODIES:
    logging.getLogger(_name).addFilter(_untold)


def _wrapped(answer: Mapping[str, Any]) -> WrappedKey:
    text = base64.b64encode(answer["CiphertextBlob"]).decode()
    return WrappedKey(blob=f"{_FORMAT}.{text}", wrapped_by=str(answer["KeyId"]))


def _sealed(blob: str) -> bytes:
    kind, _, text = blob.partition(".")
    if kind != _FORMAT:
        raise KeyUnreadable(f"Wrapped keys of the format {kind[:20]!r} are not known here.")
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise KeyUnreadable("This is no wrapped key.") from None


def _sixteen(plain: bytes) -> bytes:
    if len(plain) != KEY_BYTES:
        raise KeyUnreadable("What AWS KMS opened is no content key.")
    return plain
