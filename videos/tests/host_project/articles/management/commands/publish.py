from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand
from host_project.articles.models import Article


class Command(BaseCommand):
    """An article, its author, one reader, and somebody who may not read it: `publish <password>`."""

    def add_arguments(self, parser):
        parser.add_argument("password")

    def handle(self, *args, password, **options):
        people = get_user_model().objects
        author = people.create_superuser("author@magazine.test", password)
        reader, _ = (people.create_user(f"{name}@magazine.test", password) for name in ("reader", "stranger"))
        article = Article.objects.create(slug="zoo", body="All about the zoo.", author=author)
        article.readings.create(reader=reader)
