from django.urls import path

from videos.api import (
    caption_views,
    playback,
    preview,
    progress_views,
    session_views,
    share_views,
    statistics_views,
    thumbnail_views,
    upload_views,
    views,
    webhooks,
)

app_name = "videos"

urlpatterns = [
    path("", views.VideoListView.as_view(), name="video-list"),
    path("metrics/", statistics_views.MetricsView.as_view(), name="metrics"),
    path("webhooks/<slug:alias>/", webhooks.webhook, name="webhook"),
    path("progress/", progress_views.ProgressListView.as_view(), name="progress-list"),
    path("sessions/", session_views.RunningSessionsView.as_view(), name="session-list"),
    path("sessions/<uuid:session_id>/heartbeat/", session_views.HeartbeatView.as_view(), name="session-heartbeat"),
    path("sessions/<uuid:session_id>/end/", session_views.EndView.as_view(), name="session-end"),
    path("<uuid:video_id>/", views.VideoView.as_view(), name="video"),
    path("<uuid:video_id>/status/", views.VideoStatusView.as_view(), name="video-status"),
    path("<uuid:video_id>/captions/", caption_views.CaptionListView.as_view(), name="video-captions"),
    path("<uuid:video_id>/captions/<str:language>/", caption_views.CaptionView.as_view(), name="video-caption"),
    path("<uuid:video_id>/thumbnail/", thumbnail_views.ThumbnailView.as_view(), name="video-thumbnail"),
    path("<uuid:video_id>/upload/", upload_views.UploadView.as_view(), name="video-upload"),
    path("<uuid:video_id>/file/", upload_views.FileView.as_view(), name="video-file"),
    path("<uuid:video_id>/progress/", progress_views.ProgressView.as_view(), name="video-progress"),
    path("<uuid:video_id>/playback/", playback.PlaybackView.as_view(), name="video-playback"),
    path("preview/videos/<uuid:video_id>/playback/", preview.PreviewView.as_view(), name="video-preview"),
    path("<uuid:video_id>/otp/", playback.OtpView.as_view(), name="video-otp"),
    path("<uuid:video_id>/statistics/", statistics_views.StatisticsView.as_view(), name="video-statistics"),
    path("<uuid:video_id>/views/", statistics_views.ViewListView.as_view(), name="video-views"),
    path("<uuid:video_id>/share/", share_views.ShareView.as_view(), name="video-share"),
]
