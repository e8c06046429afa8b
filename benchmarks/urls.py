from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from courses.models import University
from eleven_tutors.urls import urlpatterns as project_urls
from videos.hosted.services.uploading.tus import BLOCK_BYTES


def calibration(request: HttpRequest) -> JsonResponse:
    """The yardstick: one indexed query, one small JSON answer."""
    university = University.objects.only("name").get(slug="benchmark")
    return JsonResponse({"name": university.name})


@csrf_exempt
def read_body(request: HttpRequest) -> HttpResponse:
    """The yardstick of uploads: the body is read, and that is all."""
    while request.read(BLOCK_BYTES):
        pass
    return HttpResponse(status=204)


urlpatterns = [path("calibration/", calibration), path("calibration/body/", read_body), *project_urls]
