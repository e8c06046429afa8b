from django.contrib import admin
from django.urls import include, path
from host_project.articles import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("log-in/", include("rest_framework.urls")),
    path("articles/<slug:slug>/", views.article, name="article"),
    path("articles/<slug:slug>/videos/<uuid:video_id>/", views.add_video),
    path("clips/", include("videos.api.urls")),
]
