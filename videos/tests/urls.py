"""The addresses of a host project that has this app and the admin, nothing else."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [path("admin/", admin.site.urls), path("api/videos/", include("videos.api.urls"))]
