"""What is watched, on a video's page, and the list of unusual uses."""

from datetime import timedelta

from django.contrib import admin, messages
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import ngettext

from videos.admin.base import ModelAdmin
from videos.models import UnusualUse
from videos.services.statistics import DAYS_SHOWN, statistics_of
from videos.services.unusual import dismiss

CHART_HEIGHT = 80


def figures_panel(video):
    """The statistics of `video` (fetched with its current asset) as HTML: numbers, views by day, retention."""
    told = statistics_of(video)
    first = timezone.now().date() - timedelta(days=DAYS_SHOWN - 1)
    views = {day.day: day.total_views for day in told.days}
    days = [first + timedelta(days=number) for number in range(DAYS_SHOWN)]
    plays = [(f"{_clock(point.second)}: {point.plays:g} plays", point.plays) for point in told.retention]
    context = {
        "told": told,
        "minutes": round(told.total_watch_time / 60),
        "height": CHART_HEIGHT,
        "days": _bars([(f"{day:%-d %b}: {views.get(day, 0)} views", views.get(day, 0)) for day in days]),
        "retention": _bars(plays),
    }
    return render_to_string("videos/admin/figures.html", context)


def _bars(values):
    """Bars for a chart 100 wide and CHART_HEIGHT high; none when nothing was watched."""
    most = max((value for _, value in values), default=0)
    if not most:
        return []
    width = 100 / len(values)
    return [
        {
            "x": f"{number * width:.3f}",
            "y": f"{CHART_HEIGHT * (1 - value / most):.2f}",
            "width": f"{width * 0.85:.3f}",
            "height": f"{CHART_HEIGHT * value / most:.2f}",
            "told": told,
        }
        for number, (told, value) in enumerate(values)
    ]


def _clock(seconds):
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}:{rest:02}"


class IsOpenFilter(admin.SimpleListFilter):
    title = "looked at"
    parameter_name = "dismissed"

    def lookups(self, request, model_admin):
        return [("no", "open"), ("yes", "dismissed")]

    def queryset(self, request, queryset):
        return queryset.filter(dismissed_at__isnull=self.value() == "no") if self.value() else queryset


@admin.register(UnusualUse)
class UnusualUseAdmin(ModelAdmin):
    list_display = ["day", "viewer", "kind", "figure", "limit", "first_seen_at", "last_seen_at", "dismissed_at"]
    list_filter = [IsOpenFilter, "kind", "day"]
    search_fields = ["viewer__user__email"]
    list_select_related = ["viewer__user"]
    actions = ["dismiss_findings"]

    @admin.action(description="Dismiss", permissions=["dismiss"])
    def dismiss_findings(self, request, queryset):
        count = dismiss(queryset.values_list("pk", flat=True))
        told = ngettext("%d finding is dismissed.", "%d findings are dismissed.", count)
        messages.success(request, told % count)

    def has_dismiss_permission(self, request):
        return request.user.has_perm("videos.change_unusualuse")

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
