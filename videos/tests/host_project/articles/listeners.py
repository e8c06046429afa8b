from django.utils import timezone
from host_project.articles.models import Article, Reading

from videos import signals


def note_that_it_can_be_watched(sender, video, **kwargs):
    if isinstance(video.subject, Article):
        Article.objects.filter(pk=video.subject.pk).update(can_be_watched=True)


def note_that_it_was_watched(sender, session, **kwargs):
    Reading.objects.filter(article_id=session.video.subject_id, reader_id=session.viewer.user_id).update(
        watched_at=timezone.now()
    )


def connect():
    signals.video_ready.connect(note_that_it_can_be_watched)
    signals.video_completed.connect(note_that_it_was_watched)
