from host_project.articles.models import Article

from videos.access import Decision


def decide(user, video) -> Decision:
    """Readers of the article that a video belongs to may watch it; its author too, without being counted."""
    article = video.subject
    if not isinstance(article, Article):
        return Decision(allowed=user.pk == video.owner_id, code="not_in_an_article", counted=False)
    if article.author_id == user.pk:
        return Decision(allowed=True, counted=False)
    is_reader = user.is_authenticated and article.readings.filter(reader=user).exists()
    return Decision(allowed=is_reader, code="not_a_reader", max_streams=1, watermark=user.get_username())


def is_author(user) -> bool:
    return Article.objects.filter(author_id=user.pk).exists()
