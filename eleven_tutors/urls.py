from django.contrib import admin
from django.urls import include, path, re_path
from django.views.decorators.cache import cache_page
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from eleven_tutors import health
from eleven_tutors.media import public_media

SCHEMA_KEPT_S = 3600

handler400 = "eleven_tutors.error_pages.bad_request"
handler404 = "eleven_tutors.error_pages.not_found"
handler500 = "eleven_tutors.error_pages.server_error"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/schema/", cache_page(SCHEMA_KEPT_S)(SpectacularAPIView.as_view()), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("api/health/", health.AliveView.as_view(), name="health"),
    path("api/health/ready/", health.ReadyView.as_view(), name="health-ready"),
    path("api/health/providers/", health.ProvidersView.as_view(), name="health-providers"),
    path("api/users/", include("users.api.urls")),
    path("api/courses/", include("courses.api.urls")),
    path("api/payments/", include("payments.api.urls")),
    path("api/videos/", include("videos.hosted.api.urls")),
    path("api/videos/", include("videos.api.urls")),
    re_path(r"^media/(?P<path>(?:images|logos)/.+)$", public_media, name="media"),
    path("", include("eleven_tutors.pages")),
]
