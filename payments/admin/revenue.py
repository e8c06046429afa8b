"""The page of figures: what came in and went back, by day and by course."""

import json
from datetime import date, timedelta

from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from courses import money
from payments.amounts import decimal_text
from payments.services.revenue import Figures, latest_currency, revenue

DAYS_SHOWN = 30
EARLIEST, LATEST = date(2000, 1, 1), date(2999, 12, 31)
DAYS_MAX = 3 * 366
COURSES_CHARTED = 10
COURSES_LISTED = 100
PERIODS = {"7 days": 7, "30 days": 30, "90 days": 90, "1 year": 365}
_CAME, _WENT, _LOST, _GREY = "#16a34a", "#f59e0b", "#dc2626", "#6b7280"


class PeriodForm(forms.Form):
    first = forms.DateField(label="From", widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))
    last = forms.DateField(label="To", widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))
    currency = forms.ChoiceField(widget=UnfoldAdminSelectWidget)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        codes = dict.fromkeys([*settings.COURSE_CURRENCIES, *money.CURRENCIES])
        self.fields["currency"].choices = [(code, code.upper()) for code in codes]

    def clean(self):
        given = super().clean()
        first, last = given.get("first"), given.get("last")
        if first and last and (first < EARLIEST or last > LATEST):
            raise forms.ValidationError(f"Days from {EARLIEST} to {LATEST} are known.")
        if first and last and not 0 <= (last - first).days < DAYS_MAX:
            raise forms.ValidationError(f"The first day comes before the last, and {DAYS_MAX} days are the most.")
        return given


def revenue_view(model_admin):
    """The page for the period and currency of the address; the last 30 days, in the currency of the last payment."""

    def view(request):
        if not model_admin.has_export_permission(request):
            raise PermissionDenied
        form = PeriodForm(request.GET if "first" in request.GET else _usual())
        told = revenue(**form.cleaned_data) if form.is_valid() else None
        context = {
            **model_admin.admin_site.each_context(request),
            "title": "Revenue",
            "form": form,
            "periods": _periods(form["currency"].value()),
            **(_figures(told) if told else {}),
        }
        return TemplateResponse(request, "admin/payments/revenue.html", context)

    return view


def _usual():
    today = timezone.now().date()
    usual = next(iter(settings.COURSE_CURRENCIES), "usd")
    return {
        "first": str(today - timedelta(days=DAYS_SHOWN - 1)),
        "last": str(today),
        "currency": latest_currency(usual),
    }


def _periods(currency):
    today = timezone.now().date()
    address = reverse("admin:payments_revenue")
    return [
        {"title": title, "link": f"{address}?first={today - timedelta(days=days - 1)}&last={today}&currency={currency}"}
        for title, days in PERIODS.items()
    ]


def _figures(told):
    def shown(name, figures):
        amounts = (figures.gross_minor, figures.refunded_minor, figures.lost_minor, figures.net_minor)
        return [name, *(money.display(amount, told.currency) for amount in amounts)]

    headers = ["gross", "refunded", "lost disputes", "net"]
    moved = [(day, figures) for day, figures in reversed(told.days) if figures != Figures()]
    charted = told.courses[:COURSES_CHARTED]
    return {
        "cards": list(zip(headers, shown("", told.total)[1:], strict=True)),
        "by_day": _chart([f"{day:%-d %b}" for day, _ in told.days], [row for _, row in told.days], told.currency),
        "by_course": _chart([_short(title) for title, _ in charted], [row for _, row in charted], told.currency),
        "upright": json.dumps(_options("x")),
        "lying": json.dumps(_options("y")),
        "days": {"headers": ["day", *headers], "rows": [shown(str(day), row) for day, row in moved]},
        "courses": {
            "headers": ["course", *headers],
            "rows": [shown(title, row) for title, row in told.courses[:COURSES_LISTED]],
        },
        "has_money": bool(moved),
    }


def _short(title):
    return title if len(title) <= 24 else f"{title[:23]}…"


def _chart(labels, rows, currency):
    def dataset(label, colour, amounts):
        # Texts: the chart reads them as numbers, and no amount passes through a float here.
        data = [decimal_text(amount, currency) for amount in amounts]
        return {"label": label, "backgroundColor": colour, "data": data}

    datasets = [
        dataset("gross", _CAME, [row.gross_minor for row in rows]),
        dataset("refunded", _WENT, [-row.refunded_minor for row in rows]),
        dataset("lost disputes", _LOST, [-row.lost_minor for row in rows]),
    ]
    return json.dumps({"labels": labels, "datasets": datasets})


def _options(names):
    """How a chart looks whose names stand on the axis `names`: the x axis, or the y axis for long ones."""
    amounts = "y" if names == "x" else "x"
    return {
        "animation": False,
        "maintainAspectRatio": False,
        "indexAxis": names,
        "datasets": {"bar": {"maxBarThickness": 28}},
        "plugins": {
            "legend": {"position": "bottom", "labels": {"boxWidth": 12, "color": _GREY}},
            "tooltip": {"mode": "index"},
        },
        "scales": {
            names: {
                "stacked": True,
                "grid": {"display": False},
                "ticks": {"color": _GREY, "maxRotation": 0, "autoSkip": names == "x", "autoSkipPadding": 12},
            },
            amounts: {
                "stacked": True,
                "grid": {"drawTicks": False},
                "ticks": {"color": _GREY, "maxTicksLimit": 6, "maxRotation": 0},
            },
        },
    }
