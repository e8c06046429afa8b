"""Giving money back: a form that shows what is left, a page that says what will happen, then the deed, once."""

import uuid

from django import forms
from django.contrib import messages
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from courses import money
from payments.admin.base import moment, person
from payments.admin.confirming import in_words
from payments.amounts import decimal_text, read_amount
from payments.errors import PaymentsError, ProviderMisconfigured, ProviderUnavailable
from payments.models import FailureCode, Payment, Refund, RefundReason
from payments.services.outlook import refund_outlook
from payments.services.refund_requests import refundable_minor, request_refund
from payments.services.refunds import send_refund

EVERYTHING, ITEMS, AMOUNT = "everything", "items", "amount"


class RefundForm(forms.Form):
    """`minor` is what is to go back, `named` are the items that the student loses by name."""

    form_id = forms.UUIDField(widget=forms.HiddenInput)
    what = forms.ChoiceField(label="Give back", widget=UnfoldAdminRadioSelectWidget)
    items = forms.MultipleChoiceField(label="Courses", required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget)
    amount = forms.CharField(label="Amount", required=False, max_length=20, widget=UnfoldAdminTextInputWidget)
    reason = forms.ChoiceField(choices=RefundReason.choices, widget=UnfoldAdminSelectWidget)

    def __init__(self, *args, payment, left_minor, outlook, **kwargs):
        super().__init__(*args, **kwargs)
        self.payment, self.left_minor = payment, left_minor
        self.shares = {str(row.item.pk): row.share_minor for row in outlook if row.is_owned}
        takes_all = payment.failure_code == FailureCode.MISMATCH
        self.fields["what"].choices = self._ways(takes_all)
        self.fields["items"].choices = [
            (str(row.item.pk), f"{row.item.title}, {self._shown(row.share_minor)}") for row in outlook if row.is_owned
        ]
        for name, is_offered in ((ITEMS, bool(self.shares) and not takes_all), (AMOUNT, not takes_all)):
            if not is_offered:
                del self.fields[name]
        if AMOUNT in self.fields:
            self.fields[AMOUNT].help_text = (
                f"At most {decimal_text(left_minor, payment.currency)} {payment.currency.upper()}; courses stay, "
                "unless nothing stays paid."
            )

    @property
    def minor(self):
        if self.cleaned_data["what"] == AMOUNT:
            return self.cleaned_data["amount"]
        if self.cleaned_data["what"] == ITEMS:
            return min(self.left_minor, sum(self.shares[key] for key in self.cleaned_data["items"]))
        return self.left_minor

    @property
    def named(self):
        return [int(key) for key in self.cleaned_data["items"]] if self.cleaned_data["what"] == ITEMS else []

    def clean_amount(self):
        text = self.cleaned_data["amount"]
        if self.cleaned_data.get("what") != AMOUNT:
            return None
        try:
            minor = read_amount(text, self.payment.currency)
        except ValueError as error:
            raise forms.ValidationError("Write the amount as 12 or 12.50.") from error
        if not 0 < minor <= self.left_minor:
            raise forms.ValidationError(f"More than nothing and at most {self._shown(self.left_minor)}.")
        return minor

    def clean_items(self):
        if self.cleaned_data.get("what") == ITEMS and not self.cleaned_data["items"]:
            raise forms.ValidationError("Choose the courses that the student gives up.")
        return self.cleaned_data["items"]

    def clean(self):
        given = super().clean()
        if not self.errors and not self.minor:
            raise forms.ValidationError("Nothing is left to give back for this.")
        return given

    def _ways(self, takes_all):
        if takes_all:
            return [(EVERYTHING, "Everything that Stripe took: what came did not fit the order")]
        ways = [(EVERYTHING, f"Everything that is left: {self._shown(self.left_minor)}")]
        if self.shares:
            ways.append((ITEMS, "Courses that the student gives up"))
        return [*ways, (AMOUNT, "An amount")]

    def _shown(self, minor):
        return money.display(minor, self.payment.currency)


def refund_view(model_admin, request, payment):
    """Ask what to give back, then whether it is meant, then do it; a form that is sent twice does it once."""
    made = _made_by(request, payment)
    if made is not None:
        return _send(model_admin, request, payment, made, is_new=False)
    left_minor = refundable_minor(payment)
    outlook = refund_outlook(payment, amount_minor=0)
    form = RefundForm(
        request.POST or None,
        initial={"form_id": uuid.uuid4(), "what": EVERYTHING},
        payment=payment,
        left_minor=left_minor,
        outlook=outlook,
    )
    if not form.is_valid():
        return _page(model_admin, request, payment, "refund", form=form, outlook=outlook, left_minor=left_minor)
    if "confirmed" not in request.POST:
        return _page(model_admin, request, payment, "refund_confirm", **_told(form, payment, left_minor))
    return _do(model_admin, request, payment, form)


def _made_by(request, payment):
    """The refund that this form has made already."""
    try:
        form_id = uuid.UUID(request.POST.get("form_id", ""))
    except ValueError:
        return None
    return Refund.objects.filter(public_id=_refund_id(payment, form_id)).first()


def _refund_id(payment, form_id):
    return uuid.uuid5(payment.public_id, f"form:{form_id}")


def _do(model_admin, request, payment, form):
    items = [row.item for row in refund_outlook(payment, amount_minor=form.minor) if row.item.pk in form.named]
    try:
        refund = request_refund(
            payment=payment,
            amount_minor=form.minor,
            items=items,
            reason=RefundReason(form.cleaned_data["reason"]),
            requested_by=request.user,
            public_id=_refund_id(payment, form.cleaned_data["form_id"]),
        )
    except PaymentsError as error:
        model_admin.message_user(request, f"Nothing was given back: {in_words(error)}.", messages.ERROR)
        return redirect(_back(payment))
    return _send(model_admin, request, payment, refund, is_new=True)


def _send(model_admin, request, payment, refund, *, is_new):
    amount = money.display(refund.amount_minor, refund.currency)
    try:
        refund = send_refund(refund)
        amount = money.display(refund.amount_minor, refund.currency)
        text, level = f"Refund of {amount}: {refund.get_status_display().lower()}", messages.SUCCESS
    except (ProviderUnavailable, ProviderMisconfigured) as error:
        text = f"Refund of {amount} is noted and will be sent by itself: {in_words(error)}"
        level = messages.WARNING
    except PaymentsError as error:
        text, level = f"Refund of {amount} was not made: {in_words(error)}", messages.ERROR
    if is_new:
        model_admin.log_change(request, payment.order or payment, f"{text} ({refund.get_reason_display()})")
    else:
        text = f"This form was sent before, nothing was given back a second time. {text}"
    model_admin.message_user(request, text, level)
    return redirect(_back(payment))


def _told(form, payment, left_minor):
    outlook = refund_outlook(payment, amount_minor=form.minor, named=form.named)
    stays = left_minor - form.minor
    sent = [(name, value) for name in form.fields for value in _values(form, name)]
    return {
        "amount": money.display(form.minor, payment.currency),
        "currency": payment.currency.upper(),
        "stays": money.display(stays, payment.currency),
        "ending": [row.item.title for row in outlook if row.ends],
        "keeping": [row.item.title for row in outlook if row.is_owned and not row.ends],
        "reason": RefundReason(form.cleaned_data["reason"]).label,
        "takes_all": payment.failure_code == FailureCode.MISMATCH,
        "sent": sent,
    }


def _values(form, name):
    value = form[name].value()
    return value if isinstance(value, list) else [value]


def _back(payment):
    if payment.order_id:
        return reverse("admin:payments_order_change", args=[payment.order_id])
    return reverse("admin:payments_payment_change", args=[payment.pk])


def _page(model_admin, request, payment, template, **more):
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "title": "Give money back",
        "payment": payment,
        "paid": money.display(payment.paid_minor, payment.currency),
        "paid_at": moment(payment.paid_at),
        "student": person(payment.order) if payment.order else "a student whose order is gone",
        "others": _others(payment),
        "back": _back(payment),
        **more,
    }
    if "left_minor" in more:
        context["left"] = money.display(more["left_minor"], payment.currency)
    return TemplateResponse(request, f"admin/payments/{template}.html", context)


def _others(payment):
    """Other payments of the same order that hold money, each with its own form."""
    if payment.order is None:
        return []
    rows = Payment.objects.filter(order=payment.order_id).exclude(pk=payment.pk)
    return [
        {
            "link": reverse("admin:payments_payment_give_money_back", args=[row.pk]),
            "paid": money.display(row.paid_minor, row.currency),
            "left": money.display(refundable_minor(row), row.currency),
            "attempt": row.attempt,
        }
        for row in rows
        if row.has_money
    ]
