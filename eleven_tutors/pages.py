"""The reference student pages: shells without data, whose scripts use the public API alone."""

import logging
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.templatetags.static import static
from django.urls import path, re_path
from django.views.generic import RedirectView, TemplateView

from videos.providers.base import VideoProvider
from videos.providers.exceptions import ProviderMisconfigured
from videos.providers.registry import providers

logger = logging.getLogger(__name__)


def player_origins() -> list[str]:
    """The origins that configured hosts serve their players from, such as `https://player.vdocipher.com`."""
    return sorted({origin for provider in _usable_providers() for origin in provider.player_origins})


def media_origins() -> list[str]:
    """The origins that our own player loads files from beside this server: a bucket's, which holds what people sent."""
    return sorted({origin for provider in _usable_providers() for origin in provider.media_origins})


def _usable_providers() -> Iterator[VideoProvider]:
    for alias in providers:
        try:
            yield providers[alias]
        except ProviderMisconfigured as error:
            logger.error("Video host %s cannot be used: %s", alias, error)


def content_security_policy(*, plays_video: bool, is_embeddable: bool = False) -> str:
    """The pages' `Content-Security-Policy`: nothing inline, hosts' players and media only where a video plays.

    No site may frame a page but one made for it, which those of VIDEO_EMBED_ANCESTORS may.
    """
    players = " ".join(player_origins()) if plays_video else ""
    media = " ".join([*player_origins(), *media_origins()]) if plays_video else ""
    frames = players or "'none'"
    ancestors = " ".join(settings.VIDEO_EMBED_ANCESTORS) if is_embeddable else "'none'"
    return "; ".join(
        [
            "default-src 'self'",
            f"script-src 'self' {players}".rstrip(),
            f"frame-src {frames}",
            # Course pictures may be redirected to a bucket, posters come from the video host.
            f"img-src 'self' data: https: {media}".rstrip(),
            # What is put together in the browser, such as DASH, is a blob.
            f"media-src 'self' {'blob: ' if plays_video else ''}{media}".rstrip(),
            f"connect-src 'self' {media}".rstrip(),
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            f"frame-ancestors {ancestors}",
        ]
    )


def demo_inbox_url() -> str:
    """Where mails can be read while they go to the sandbox; empty once they are really sent."""
    is_sandbox_mail = settings.SANDBOX_URL and settings.EMAIL_HOST in ("127.0.0.1", "localhost")
    return f"{settings.SANDBOX_URL}/mail" if is_sandbox_mail else ""


class FaviconView(RedirectView):
    """What browsers ask for on pages that name no icon, such as the admin's."""

    def get_redirect_url(self, *args: Any, **kwargs: Any) -> str:
        return static("pages/icon.svg")


class Page(TemplateView):
    http_method_names = ["get", "head", "options"]
    plays_video = False
    is_embeddable = False

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(inbox_url=demo_inbox_url(), **kwargs)

    def render_to_response(self, context: dict[str, Any], **response_kwargs: Any) -> HttpResponse:
        response = super().render_to_response(context, **response_kwargs)
        response["Content-Security-Policy"] = content_security_policy(
            plays_video=self.plays_video, is_embeddable=self.is_embeddable
        )
        response.xframe_options_exempt = self.is_embeddable
        response["Cache-Control"] = "no-cache"
        return response


def page(pattern: str, name: str, *, plays_video: bool = False, is_embeddable: bool = False) -> Any:
    """One page at `pattern`, with and without a trailing slash, rendered from `templates/pages/<name>.html`."""
    view = Page.as_view(template_name=f"pages/{name}.html", plays_video=plays_video, is_embeddable=is_embeddable)
    return re_path(rf"^{pattern}/?$", view, name=f"page-{name}")


urlpatterns = [
    path("favicon.ico", FaviconView.as_view(), name="favicon"),
    re_path(r"^$", Page.as_view(template_name="pages/catalogue.html"), name="page-catalogue"),
    page(r"courses/(?P<slug>[-a-zA-Z0-9_]+)", "course"),
    page(r"lessons/(?P<slug>[-a-zA-Z0-9_]+)", "lesson", plays_video=True),
    page(r"videos/(?P<video_id>[0-9a-f-]{36})", "video", plays_video=True),
    page(r"videos/(?P<video_id>[0-9a-f-]{36})/embed", "video-embed", plays_video=True, is_embeddable=True),
    page(r"videos/embed/(?P<video_id>[0-9a-f-]{36})", "video-embed", plays_video=True, is_embeddable=True),
    page("login", "login"),
    page("register", "register"),
    page("verify-email", "verify-email"),
    page("forgot-password", "forgot-password"),
    page("reset-password", "reset-password"),
    page("dashboard", "dashboard"),
    page("dashboard/payment-success", "payment-success"),
    page("dashboard/payment-cancel", "payment-cancel"),
]
