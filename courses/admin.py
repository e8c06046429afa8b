from collections import Counter

from django.contrib import admin, messages
from django.db import models
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from courses.access import COURSE_TERMS, is_platform_staff, manageable_courses, may_set_terms
from courses.forms import LessonForm
from courses.images import delete_stored
from courses.models import Course, CourseUpdate, Enrollment, EnrollmentSource, Lesson, LessonResource, Part, University
from courses.services import end_enrollment, enroll
from courses.services.errors import InvalidChange
from courses.services.lesson_videos import upload_lesson_video
from courses.services.lessons import is_shared, set_video_service_id
from courses.services.updates import request_sending
from videos.admin.uploading import FileForm, refused, refused_form, ticket_answer, upload_panel
from videos.services.errors import VideosError


class HttpsAddressMixin:
    """An address typed without its scheme is one of https."""

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if isinstance(db_field, models.URLField):
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class PictureAdmin(ModelAdmin):
    """Shows the picture of `picture_field` and deletes the file when it is replaced or its row goes."""

    picture_field = ""

    @display(description="Picture")
    def preview(self, row):
        image = getattr(row, self.picture_field)
        if not image:
            return "—"
        return format_html('<img src="{}" alt="" style="max-height: 6rem; border-radius: 6px">', image.url)

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        before = form.initial.get(self.picture_field)
        if change and before and self.picture_field in form.changed_data:
            delete_stored([before])

    def delete_model(self, request, obj):
        image = getattr(obj, self.picture_field)
        super().delete_model(request, obj)
        delete_stored([image])

    def delete_queryset(self, request, queryset):
        images = [getattr(row, self.picture_field) for row in queryset]
        super().delete_queryset(request, queryset)
        delete_stored(images)


class OwnCoursesMixin:
    """Staff work on every row, instructors on those of their courses; `course_lookup` leads from row to course."""

    course_lookup = "course"

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        if is_platform_staff(request.user):
            return rows
        return rows.filter(**{f"{self.course_lookup}__in": manageable_courses(request.user)})

    def has_view_permission(self, request, obj=None):
        return super().has_view_permission(request, obj) and self._is_within_reach(request, obj)

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and self._is_within_reach(request, obj)

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and self._is_within_reach(request, obj)

    def _is_within_reach(self, request, obj):
        if not isinstance(obj, self.model) or obj.pk is None:
            return True
        return self.get_queryset(request).filter(pk=obj.pk).exists()


@admin.register(University)
class UniversityAdmin(HttpsAddressMixin, PictureAdmin):
    picture_field = "logo"
    list_display = ["name", "slug", "website"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    fields = ["name", "slug", "website", "description", "logo", "preview"]
    readonly_fields = ["preview"]


class PartInline(TabularInline):
    model = Part
    fields = ["title", "position"]
    ordering_field = "position"
    hide_ordering_field = True
    show_change_link = True
    extra = 0
    verbose_name_plural = "Parts: drag to order, open one to edit its lessons"


@admin.register(Course)
class CourseAdmin(OwnCoursesMixin, PictureAdmin):
    picture_field = "thumbnail"
    course_lookup = "pk"
    list_display = ["title", "university", "price_display", "level", "language", "is_published"]
    list_filter = ["is_published", "level", "university"]
    list_select_related = ["university"]
    search_fields = ["title", "slug", "summary"]
    autocomplete_fields = ["university", "instructors"]
    inlines = [PartInline]
    readonly_fields = ["preview", "created_at", "updated_at"]
    fieldsets = [
        (None, {"fields": ["title", "slug", "university", "summary", "description"]}),
        ("Catalogue", {"fields": ["thumbnail", "preview", "level", "language", "is_published"]}),
        ("Price", {"fields": ["price_minor", "currency", "included_in_tier"]}),
        ("People", {"fields": ["instructors"]}),
        ("Dates", {"fields": ["created_at", "updated_at"]}),
    ]

    def get_readonly_fields(self, request, obj=None):
        """Instructors write the content; the terms on which it is sold are for staff."""
        return [*self.readonly_fields, *([] if may_set_terms(request.user) else COURSE_TERMS)]

    def get_prepopulated_fields(self, request, obj=None):
        return {"slug": ["title"]} if may_set_terms(request.user) else {}


class LessonInline(TabularInline):
    model = Lesson
    fields = ["title", "slug", "is_free_preview", "is_exam", "position"]
    prepopulated_fields = {"slug": ["title"]}
    ordering_field = "position"
    hide_ordering_field = True
    show_change_link = True
    extra = 0
    verbose_name_plural = "Lessons: drag to order, open one to set its video"


@admin.register(Part)
class PartAdmin(OwnCoursesMixin, ModelAdmin):
    list_display = ["title", "course", "position"]
    list_filter = [("course", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["course"]
    search_fields = ["title", "course__title"]
    ordering = ["course__title", "position", "pk"]
    inlines = [LessonInline]

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "course":
            kwargs["queryset"] = manageable_courses(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class ResourceInline(HttpsAddressMixin, TabularInline):
    model = LessonResource
    fields = ["title", "url", "file"]
    extra = 0
    # The usual widget repeats a long address in one line, which makes the rows wider than a phone.
    formfield_overrides = {models.URLField: {"widget": UnfoldAdminTextInputWidget}}


@admin.register(Lesson)
class LessonAdmin(OwnCoursesMixin, ModelAdmin):
    course_lookup = "part__course"
    form = LessonForm
    list_display = ["title", "course", "part", "is_free_preview", "is_exam", "video_state"]
    list_filter = [("part__course", admin.RelatedOnlyFieldListFilter), "is_free_preview", "is_exam"]
    list_select_related = ["part__course", "video"]
    search_fields = ["title", "slug", "part__course__title"]
    prepopulated_fields = {"slug": ["title"]}
    ordering = ["part__course__title", "part__position", "position", "pk"]
    inlines = [ResourceInline]
    readonly_fields = ["video_state", "upload"]
    fields = [
        "part",
        "title",
        "slug",
        "description",
        "position",
        "is_free_preview",
        "is_exam",
        "video_service_id",
        "video_state",
        "upload",
    ]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("video__assets")

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change=change, **kwargs)
        form.actor = request.user
        return form

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "part":
            parts = Part.objects.filter(course__in=manageable_courses(request.user))
            kwargs["queryset"] = parts.select_related("course").order_by("course__title", "position", "pk")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        if "video_service_id" in form.changed_data:
            wanted = form.cleaned_data["video_service_id"]
            set_video_service_id(lesson=obj, actor=request.user, video_service_id=wanted)

    def save_formset(self, request, form, formset, change):
        replaced = [
            row.initial.get("file")
            for row in formset.initial_forms
            if "file" in row.changed_data and row.initial["file"]
        ]
        super().save_formset(request, form, formset, change)
        delete_stored([*replaced, *(resource.file for resource in formset.deleted_objects)])

    def get_urls(self):
        view = self.admin_site.admin_view(self.video_view)
        return [path("<int:lesson_id>/video/", view, name="courses_lesson_video"), *super().get_urls()]

    def video_view(self, request, lesson_id):
        """Give the ticket for the lesson's file, protected as the lesson calls for unless something is chosen."""
        lesson = get_object_or_404(self.get_queryset(request), pk=lesson_id)
        if request.method != "POST" or not self.has_change_permission(request, lesson):
            return refused([("permission_denied", "You may not change this lesson.", None)], status=403)
        file = FileForm(request.POST)
        if not file.is_valid():
            return refused_form(file)
        try:
            chosen = file.choices()
            chosen["protection"] = chosen["protection"] or None
            made = upload_lesson_video(lesson=lesson, actor=request.user, **file.file(), **chosen)
        except VideosError as error:
            return refused([(error.code, error.detail, getattr(error, "attr", None))])
        return ticket_answer(*made, change_url=reverse("admin:courses_lesson_change", args=[lesson.pk]))

    @display(description="File")
    def upload(self, lesson):
        if lesson.pk is None:
            return "Save the lesson first; then its video can be uploaded here."
        address = reverse("admin:courses_lesson_video", args=[lesson.pk])
        usual = "As the lesson calls for"
        if lesson.video and not is_shared(lesson.video, lesson):
            return upload_panel(lesson.video, ticket_url=address, usual=usual)
        return upload_panel(create_url=address, usual=usual)

    @display(description="Course", ordering="part__course__title")
    def course(self, lesson):
        return lesson.part.course

    @display(
        description="Video",
        label={"ready": "success", "failed": "danger", "deleted": "danger", "waiting": "info", "processing": "info"},
    )
    def video_state(self, lesson):
        assets = lesson.video.assets.all() if lesson.video else []
        return next((asset.status for asset in assets if asset.is_current), "—")


@admin.register(Enrollment)
class EnrollmentAdmin(OwnCoursesMixin, ModelAdmin):
    list_display = ["user", "course", "source", "is_active", "progress", "last_active", "started_at", "ended_at"]
    list_filter = ["is_active", "source", ("course", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["user", "course"]
    search_fields = ["user__email", "user__username", "course__title", "source_reference"]
    date_hierarchy = "started_at"
    actions = ["end"]

    def get_fields(self, request, obj=None):
        if obj is None:
            return ["user", "course"]
        return [
            "user",
            "course",
            "source",
            "source_reference",
            "is_active",
            "started_at",
            "ended_at",
            "ended_reason",
        ]

    def get_readonly_fields(self, request, obj=None):
        return [] if obj is None else self.get_fields(request, obj)

    def get_autocomplete_fields(self, request):
        return ["user", "course"]

    def get_queryset(self, request):
        return super().get_queryset(request).with_progress()

    @display(description="Progress")
    def progress(self, enrollment):
        return f"{enrollment.percentage} % ({enrollment.completed_lessons} of {enrollment.total_lessons})"

    @display(description="Last active")
    def last_active(self, enrollment):
        return enrollment.last_active_at

    def has_delete_permission(self, request, obj=None):
        return False

    def save_model(self, request, obj, form, change):
        if change:
            return
        enrollment, _ = enroll(user=obj.user, course=obj.course, source=EnrollmentSource.STAFF)
        obj.pk = enrollment.pk
        obj.refresh_from_db()

    @admin.action(description="End the selected enrollments", permissions=["change"])
    def end(self, request, queryset):
        ended = sum(end_enrollment(enrollment=row, reason="ended_by_staff") for row in queryset.select_related("user"))
        self.message_user(request, f"{ended} ended; what was being watched by them has stopped.", messages.SUCCESS)
        left = queryset.count() - ended
        if left:
            self.message_user(request, f"{left} had ended before.", messages.INFO)


@admin.register(CourseUpdate)
class CourseUpdateAdmin(OwnCoursesMixin, ModelAdmin):
    """News are drafts until they are sent; then they cannot be changed."""

    list_display = ["subject", "course", "author", "state", "recipient_count", "created_at"]
    list_filter = [("course", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["course", "author"]
    search_fields = ["subject", "course__title"]
    actions = ["send"]
    facts = ["author", "state", "recipient_count", "created_at", "sent_at"]

    def get_fields(self, request, obj=None):
        return ["course", "subject", "body", *(self.facts if obj else [])]

    def get_readonly_fields(self, request, obj=None):
        return self.get_fields(request, obj) if obj and obj.requested_at else self.facts

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and (obj is None or obj.requested_at is None)

    def get_actions(self, request):
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "course":
            kwargs["queryset"] = manageable_courses(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request, obj, form, change):
        if not change:
            obj.author = request.user
        super().save_model(request, obj, form, change)

    @display(description="State", label={"draft": "info", "being sent": "warning", "sent": "success"})
    def state(self, update):
        if update.requested_at is None:
            return "draft"
        return "sent" if update.sent_at else "being sent"

    @admin.action(description="Send to the students", permissions=["change"])
    def send(self, request, queryset):
        outcomes = Counter(self._sent(request, update) for update in queryset)
        if outcomes[True]:
            self.message_user(request, f"{outcomes[True]} on their way to the students.", messages.SUCCESS)
        if outcomes[False]:
            self.message_user(request, f"{outcomes[False]} had been sent before.", messages.INFO)

    def _sent(self, request, update):
        """True, False when it was sent before, None when it is refused."""
        try:
            return request_sending(update)
        except InvalidChange as error:
            self.message_user(request, f"“{update}” is not sent: {error.detail}", messages.ERROR)
            return None
