from django.contrib import admin, messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from payments.admin.base import ReadOnly, amount_of
from payments.admin.long_lists import LongList
from payments.models import Dispute
from payments.services.evidence import evidence_for, evidence_rows, summary
from payments.spreadsheets import csv_lines


@admin.register(Dispute)
class DisputeAdmin(ReadOnly, LongList, ModelAdmin):
    list_display = ["stripe_id", "student", "amount", "status", "reason", "answer_due_at", "created_at"]
    list_filter = ["status", "reason", "created_at"]
    list_select_related = ["payment__order__user"]
    search_fields = ["stripe_id", "payment__stripe_payment_intent", "payment__order__user__email"]
    fields = [
        "stripe_id",
        "payment",
        "student",
        "amount",
        "status",
        "reason",
        "answer_due_at",
        "is_refundable",
        "created_at",
        "updated_at",
    ]
    readonly_fields = ["student", "amount", "updated_at"]
    actions_detail = ["evidence_as_csv", "evidence_as_text"]

    @display(description="amount", ordering="amount_minor")
    def amount(self, dispute):
        return amount_of(dispute)

    @display(description="student")
    def student(self, dispute):
        order = dispute.payment.order
        return f"{order.user} <{order.user.email}>" if order else "the order is gone"

    @action(description="Evidence: CSV", url_path="evidence.csv", permissions=["evidence"])
    def evidence_as_csv(self, request, object_id):
        def answer(evidence):
            return StreamingHttpResponse(csv_lines(evidence_rows(evidence)), content_type="text/csv; charset=utf-8")

        return self._evidence(request, object_id, answer, "csv")

    @action(description="Evidence: summary", url_path="evidence.txt", permissions=["evidence"])
    def evidence_as_text(self, request, object_id):
        def answer(evidence):
            return HttpResponse(summary(evidence), content_type="text/plain; charset=utf-8")

        return self._evidence(request, object_id, answer, "txt")

    def has_evidence_permission(self, request, object_id=None):
        return request.user.has_perms(["payments.view_dispute", "videos.view_playbacksession"])

    def _evidence(self, request, object_id, answer, suffix):
        dispute = self.get_object(request, object_id)
        evidence = evidence_for(dispute) if dispute else None
        if evidence is None:
            self.message_user(request, "The order is gone: nothing is known about its use.", messages.WARNING)
            return redirect("admin:payments_dispute_change", object_id)
        self.log_change(request, dispute, f"Downloaded the evidence ({suffix})")
        response = answer(evidence)
        response["Content-Disposition"] = f'attachment; filename="evidence-{dispute.stripe_id}.{suffix}"'
        response["Cache-Control"] = "no-store"
        return response
