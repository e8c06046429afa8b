from django.apps import AppConfig


class CoursesConfig(AppConfig):
    name = "courses"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Courses"

    def ready(self) -> None:
        from courses import checks  # noqa: F401, PLC0415
        from courses.services import mails, updates  # noqa: PLC0415  models are loaded by now, not before
        from mailing.services import register  # noqa: PLC0415

        register(updates.COURSE_UPDATE, mails.render_course_update)
