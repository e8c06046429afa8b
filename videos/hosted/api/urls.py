from django.urls import path

from videos.hosted.api import (
    licence_views,
    manifest_views,
    media_views,
    multipart_urls,
    picture_views,
    transcode_views,
    tus_views,
)

app_name = "videos_hosted"

urlpatterns: list = [
    path("transcodes/", transcode_views.TranscodeListView.as_view(), name="transcode-list"),
    path("<uuid:video_id>/transcode/", transcode_views.VideoTranscodesView.as_view(), name="video-transcodes"),
    path("uploads/", tus_views.UploadListView.as_view(), name="upload-list"),
    path("uploads/<uuid:upload_id>/<str:secret>/", tus_views.UploadView.as_view(), name="upload"),
    *multipart_urls.urlpatterns,
    path("<uuid:video_id>/manifest/", manifest_views.MasterView.as_view(), name="manifest-master"),
    path("<uuid:video_id>/manifest/<str:token>/<str:name>", manifest_views.ManifestView.as_view(), name="manifest"),
    path("media/<str:token>/<path:name>", media_views.HostedMediaView.as_view(), name="media"),
    path("pictures/<str:token>/", picture_views.PictureView.as_view(), name="picture"),
    path("licences/key/<str:token>/", licence_views.PlaylistKeyView.as_view(), name="licence-key"),
    path("licences/<slug:system>/", licence_views.LicenceView.as_view(), name="licence"),
]
