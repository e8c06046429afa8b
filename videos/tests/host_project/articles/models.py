from django.conf import settings
from django.db import models


class Article(models.Model):
    slug = models.SlugField(unique=True)
    body = models.TextField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="articles")
    can_be_watched = models.BooleanField(default=False)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.slug


class Reading(models.Model):
    """Somebody's right to read an article."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="readings")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    watched_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.reader_id} reads {self.article_id}"
