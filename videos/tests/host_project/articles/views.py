from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET, require_POST
from host_project.articles.models import Article

from videos.models import Video


@require_GET
def article(request: HttpRequest, slug: str) -> JsonResponse:
    found = get_object_or_404(Article, slug=slug)
    videos = Video.objects.filter(subject_type__model="article", subject_id=str(found.pk))
    watched = found.readings.exclude(watched_at=None).count()
    return JsonResponse(
        {
            "can_be_watched": found.can_be_watched,
            "videos": [str(video.pk) for video in videos],
            "watched_by": watched,
        }
    )


@require_POST
@login_required
def add_video(request: HttpRequest, slug: str, video_id) -> HttpResponse:
    found = get_object_or_404(Article, slug=slug, author_id=request.user.pk)
    video = get_object_or_404(Video, pk=video_id, owner_id=request.user.pk)
    video.subject = found
    video.save(update_fields=["subject_type", "subject_id"])
    return HttpResponse(status=204)
