from django.urls import path

from videos.hosted.api import multipart_views as views

_UPLOAD = "uploads/<uuid:upload_id>/<str:secret>/"
_COMPANION = f"{_UPLOAD}s3/multipart"

urlpatterns = [
    path(f"{_UPLOAD}parts/", views.PartsView.as_view(), name="upload-parts"),
    path(f"{_UPLOAD}complete/", views.CompleteView.as_view(), name="upload-complete"),
    path(f"{_UPLOAD}sign/", views.SignView.as_view(), name="upload-sign"),
    path(f"{_UPLOAD}bucket/", views.BucketView.as_view(), name="upload-bucket"),
    path(_COMPANION, views.CompanionCreateView.as_view(), name="companion-create"),
    path(f"{_COMPANION}/<str:name>", views.CompanionUploadView.as_view(), name="companion-upload"),
    path(f"{_COMPANION}/<str:name>/<int:number>", views.CompanionPartView.as_view(), name="companion-part"),
    path(f"{_COMPANION}/<str:name>/batch", views.CompanionBatchView.as_view(), name="companion-batch"),
    path(f"{_COMPANION}/<str:name>/complete", views.CompanionCompleteView.as_view(), name="companion-complete"),
    path(f"{_UPLOAD}s3/<str:name>", views.CompanionElseView.as_view(), name="companion-else"),
]
