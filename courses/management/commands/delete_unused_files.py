from typing import Any

from django.core.management.base import BaseCommand

from courses.services.stored_files import delete_unused_files


class Command(BaseCommand):
    help = "Deletes pictures and resources that nothing refers to any more. Meant for a weekly run."

    def handle(self, *args: Any, **options: Any) -> None:
        names = delete_unused_files()
        for name in names:
            self.stdout.write(name)
        self.stdout.write(f"{len(names)} unused files deleted.")
