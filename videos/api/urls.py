from django.urls import path

from videos.api import playback, views, webhooks

app_name = "videos"

urlpatterns = [
    path("", views.VideoListView.as_view(), name="video-list"),
    path("webhooks/<slug:alias>/", webhooks.webhook, name="webhook"),
    path("sessions/<uuid:session_id>/heartbeat/", playback.HeartbeatView.as_view(), name="session-heartbeat"),
    path("sessions/<uuid:session_id>/end/", playback.EndView.as_view(), name="session-end"),
    path("<uuid:video_id>/", views.VideoView.as_view(), name="video"),
    path("<uuid:video_id>/status/", views.VideoStatusView.as_view(), name="video-status"),
    path("<uuid:video_id>/playback/", playback.PlaybackView.as_view(), name="video-playback"),
    path("<uuid:video_id>/otp/", playback.OtpView.as_view(), name="video-otp"),
]
