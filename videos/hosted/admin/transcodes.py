from collections import Counter

from django.contrib import admin, messages
from django.utils.html import format_html
from django.utils.translation import ngettext

from videos.admin.base import TabularInline
from videos.admin.hooks import LedgerAdmin
from videos.hosted.admin.linking import video_link, with_video_id
from videos.hosted.models import Step, Transcode, TranscodeState
from videos.hosted.services.operations.alarms import find_alarms
from videos.hosted.services.operations.monitoring import with_work
from videos.hosted.services.transcoding.choices import failure_code_of, words_of
from videos.hosted.services.transcoding.transcodes import retry
from videos.providers.failures import reason_of
from videos.services.errors import SourceGone, TranscodeRunning
from videos.services.metrics import platform_metrics

_COLOURS = {
    TranscodeState.PENDING: "#475569",
    TranscodeState.PROCESSING: "#b45309",
    TranscodeState.COMPLETED: "#15803d",
    TranscodeState.FAILED: "#b91c1c",
}


class StepInline(TabularInline):
    model = Step
    extra = 0
    can_delete = False
    fields = ["stage", "kind", "number", "state", "progress", "attempts", "started_at", "finished_at", "last_error"]
    readonly_fields = fields

    def has_add_permission(self, request, obj=None):
        return False

    def has_view_permission(self, request, obj=None):
        return True


@admin.register(Transcode)
class TranscodeAdmin(LedgerAdmin):
    list_display = ["created_at", "film", "badge", "doing", "done", "quality", "work", "took", "failure"]
    list_filter = ["state", "kind", "preset", "failure_code", "created_at"]
    search_fields = ["video__title", "public_id"]
    date_hierarchy = "created_at"
    inlines = [StepInline]
    list_before_template = "videos_hosted/admin/workload.html"  # shown by Unfold
    actions = ["try_again"]
    fields = [
        *("film", "badge", "doing", "done", "reason", "failure_detail", "kind", "preset", "scheme", "made"),
        *("figures", "requested_by", "created_at", "started_at", "finished_at", "public_id"),
    ]
    readonly_fields = fields

    def get_queryset(self, request):
        return with_video_id(with_work(super().get_queryset(request)))

    def changelist_view(self, request, extra_context=None):
        told = platform_metrics()
        figures = {"workloads": told["hosts"], "streams": told["concurrent_streams"], "alarms": find_alarms()}
        return super().changelist_view(request, {**(extra_context or {}), **figures})

    @admin.display(description="video")
    def film(self, job):
        return video_link(job, job.video)

    @admin.display(description="state", ordering="state")
    def badge(self, job):
        style = "display:inline-block;padding:1px 8px;border-radius:9px;color:#fff;background:"
        return format_html('<span style="{}{}">{}</span>', style, _COLOURS[job.state], job.get_state_display())

    @admin.display(description="doing", empty_value="-")
    def doing(self, job):
        return words_of(job, job.running_steps) or None

    @admin.display(description="done", ordering="progress_percent")
    def done(self, job):
        bar = '<progress max="100" value="{}" style="width:5rem" aria-label="progress"></progress> {} %'
        return format_html(bar, job.progress_percent, job.progress_percent)

    @admin.display(description="quality", ordering="preset")
    def quality(self, job):
        return job.preset

    @admin.display(description="work", ordering="kind")
    def work(self, job):
        return job.kind

    @admin.display(description="took")
    def took(self, job):
        if job.started_at is None or job.finished_at is None:
            return "-"
        minutes, seconds = divmod(round((job.finished_at - job.started_at).total_seconds()), 60)
        return f"{minutes}:{seconds:02} min"

    @admin.display(description="failure", ordering="failure_code", empty_value="-")
    def failure(self, job):
        return job.failure_code.replace("_", " ") or None

    @admin.display(description="why it failed", empty_value="-")
    def reason(self, job):
        code = failure_code_of(job)
        return reason_of(code) if code else None

    @admin.display(description="can be played as", empty_value="-")
    def made(self, job):
        names = [row["name"] for package in job.made[:1] for row in package.renditions]
        return ", ".join(names) or None

    @admin.action(description="Try again", permissions=["view"])
    def try_again(self, request, queryset):
        told = Counter(self._start(job, request.user) for job in queryset.select_related("video"))
        if told["started"]:
            words = ngettext("%d job is started again.", "%d jobs are started again.", told["started"])
            messages.success(request, words % told["started"])
        if told["running"]:
            messages.warning(request, f"{told['running']} left alone: their video is being prepared already.")
        if told["gone"]:
            messages.error(request, f"{told['gone']} cannot be started: the original is no longer kept.")

    def _start(self, job, user):
        try:
            retry(transcode=job, requested_by=user)
        except TranscodeRunning:
            return "running"
        except SourceGone:
            return "gone"
        return "started"
