from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe
from django.views.static import serve


@require_safe
def public_media(request: HttpRequest, path: str) -> HttpResponseBase:
    """Course thumbnails and logos from the local disk; on a bucket they have signed addresses there instead."""
    if not isinstance(default_storage, FileSystemStorage):
        raise Http404
    answer = serve(request, path, document_root=str(settings.MEDIA_ROOT))
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer
