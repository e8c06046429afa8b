"""What can go wrong with a video host. Nothing here knows HTTP.

No message holds a secret, a signed address or viewer data.
"""

from typing import ClassVar

from django.core.exceptions import ImproperlyConfigured


class UnknownProvider(KeyError):
    """An alias that is not in VIDEO_PROVIDERS."""

    def __init__(self, alias: str) -> None:
        super().__init__(f'"{alias}" is not an alias in the setting VIDEO_PROVIDERS.')

    def __str__(self) -> str:
        return str(self.args[0])


class ProviderMisconfigured(ImproperlyConfigured):
    """An entry of VIDEO_PROVIDERS that no provider can be built from; the message names alias and setting."""


class VideoProviderError(Exception):
    """A host could not, or would not, do what it was asked.

    `code` is stable and may be shown to clients; `retry_after_s` says when trying again may help, None when unknown.
    """

    default_code: ClassVar[str] = "host_error"
    is_retryable: ClassVar[bool] = False

    def __init__(self, message: str = "", *, code: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message or type(self).__doc__ or "")
        self.code = code or self.default_code
        self.retry_after_s = retry_after_s


class ProviderUnavailable(VideoProviderError):
    """The host does not answer, answers too late or reports a failure of its own.

    Codes: host_unavailable, host_timeout, host_busy (too many callers wait), host_circuit_open (known to be down).
    """

    default_code = "host_unavailable"
    is_retryable = True


class RateLimited(VideoProviderError):
    """The host wants fewer calls."""

    default_code = "host_rate_limited"
    is_retryable = True


class CredentialsRejected(VideoProviderError):
    """The host refuses our credentials: a person must look."""

    default_code = "host_credentials_rejected"


class QuotaExceeded(VideoProviderError):
    """The plan at the host is used up."""

    default_code = "host_quota_exceeded"


class Rejected(VideoProviderError):
    """The host, or the provider on its behalf, refuses this request.

    Codes: host_rejected, file_too_large, size_required, not_playable (not ready, or gone: ask for the asset again),
    not_ready and caption_refused (captions), range_too_old (figures that the host no longer keeps), transcode_running
    and source_gone (preparing again).
    """

    default_code = "host_rejected"


class AssetNotFound(VideoProviderError):
    """The host does not know this video."""

    default_code = "host_asset_not_found"


class MalformedResponse(VideoProviderError):
    """The host answered something that cannot be understood."""

    default_code = "host_malformed_response"


class UnsupportedOperation(VideoProviderError):
    """This kind of host cannot do that; its `supports_*` flag says so."""

    default_code = "host_unsupported_operation"


class WebhookRejected(VideoProviderError):
    """A hook that did not prove where it came from, or cannot be read.

    Codes: invalid_signature, malformed, unconfigured (no secret is set, so nothing can be proven).
    """

    default_code = "invalid_signature"
