from django.utils import timezone

from courses.models import EnrollmentSource
from courses.services import enroll
from mailing.services import queue_mail
from payments.models import GRANTS_ACCESS, Order
from payments.services.mails import ORDER_CONFIRMATION
from payments.services.recompute import flag


def fulfil(order: Order) -> bool:
    """Give the student what a paid order holds, once; False when it is not paid or was fulfilled before.

    Of several callers the conditional UPDATE lets one through, on every database. Called inside a transaction.
    """
    if order.status not in GRANTS_ACCESS:
        return False
    now = timezone.now()
    if not Order.objects.filter(pk=order.pk, fulfilled_at=None).update(fulfilled_at=now):
        return False
    order.fulfilled_at = now
    for item in order.items.select_related("course").order_by("course_id"):
        _, is_new = enroll(
            user=order.user,
            course=item.course,
            source=EnrollmentSource.ORDER if order.total_minor else EnrollmentSource.FREE,
            source_reference=str(order.public_id),
        )
        if not is_new:
            item.is_duplicate = True
            item.save(update_fields=["is_duplicate"])
            flag(order, f"Paid for {item.course.slug}, which the student owned already.")
    order.save(update_fields=["needs_attention"])
    queue_mail(kind=ORDER_CONFIRMATION, key=str(order.public_id), reference={"order_id": order.pk})
    return True
