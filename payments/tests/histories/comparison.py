"""Holds our rows against Stripe's books. Each difference is a sentence; none is what a test wants to see."""

from collections import Counter
from collections.abc import Iterator

from django.db.models import F

from courses.models import Enrollment, EnrollmentSource
from mailing.models import OutgoingMail
from payments.models import FailureCode, Order, OrderItem, Payment, Refund, RefundItem
from payments.tests.histories.audit import Change, changes
from payments.tests.histories.ledger import (
    CLOSED_DISPUTE,
    OPEN_DISPUTE,
    TAKEN_BACK,
    Attempt,
    Books,
    access,
    order_status,
)
from payments.tests.histories.world import World

CLOSED_BY_US = (FailureCode.SUPERSEDED, FailureCode.EXPIRED, FailureCode.REJECTED)
ABANDONED = (FailureCode.SUPERSEDED, FailureCode.EXPIRED)
UNPAID = ("pending", "processing", "failed", "expired")
FORWARD = {
    "payments_payment.status": {("1", "2"), ("1", "-1"), ("1", "-2"), ("-1", "2"), ("-1", "-2"), ("2", "-2")},
    "payments_refund.status": {
        *(("pending", later) for later in ("requires_action", "succeeded", "failed", "canceled")),
        *(("requires_action", later) for later in ("pending", "succeeded", "failed", "canceled")),
        ("succeeded", "failed"),
    },
    "payments_orderitem.access": {
        *(("none", later) for later in ("granted", "suspended", "revoked")),
        *(("granted", later) for later in ("suspended", "revoked")),
        *(("suspended", later) for later in ("granted", "revoked")),
    },
    "mailing_outgoingmail.status": {("waiting", "sent"), ("waiting", "dropped")},
}
_AFTER = {
    "warning_needs_response": {"warning_under_review", "warning_closed", "prevented", "needs_response"},
    "warning_under_review": {"warning_closed", "prevented", "needs_response"},
    "needs_response": {"under_review", "won", "lost"},
    "under_review": {"won", "lost"},
    "lost": {"appeal_needs_response"},
    "appeal_needs_response": {"appeal_under_review", "won", "lost"},
    "appeal_under_review": {"won", "lost"},
}


def differences(world: World, *, are_mails_sent: bool) -> list[str]:
    """What of our rows is not as Stripe's books and the written rules have it."""
    books = Books.of(world.sandbox)
    found = [*_payments(world, books), *_refunds_and_disputes(books), *_orders(world, books), *_rights()]
    return [*found, *_mails(world, books), *(_inbox(world) if are_mails_sent else ())]


def backward_steps(world: World) -> list[str]:
    """Every change that goes back without a reason in Stripe's books."""
    return [f"{change} goes back" for change in changes() if not _is_forward(world, change)]


def _attempts(world: World, books: Books, order: Order) -> list[Attempt]:
    return [_attempt(books, payment) for payment in order.payments.order_by("attempt")]


def _attempt(books: Books, payment: Payment) -> Attempt:
    """An attempt whose page we never learned of is as if it had none, until money comes or its time is up."""
    bought = books.of_payment(str(payment.public_id))
    is_unknown = payment.session_id is None and bought is not None and bought.outcome in ("open", "expired")
    return Attempt(
        number=payment.attempt,
        bought=None if is_unknown else bought,
        is_closed=payment.failure_code in CLOSED_BY_US,
        is_abandoned=payment.failure_code in ABANDONED,
        is_for_nobody=payment.failure_code == FailureCode.USER_GONE,
    )


def _payments(world: World, books: Books) -> Iterator[str]:
    known = {str(payment.public_id): payment for payment in Payment.objects.select_related("order__user")}
    for bought in books.sessions.values():
        payment = known.get(bought.payment_id)
        if payment is None or payment.order is None:
            yield f"{bought.session_id} has no payment"
            continue
        if payment.session_id != bought.session_id and bought.outcome not in ("open", "expired"):
            yield f"payment {payment.pk} ({payment.failure_code}) knows {payment.session_id}, not {bought}"
        attempt = _attempt(books, payment)
        if payment.status != attempt.status:
            yield f"payment {payment.pk} has status {payment.status} ({payment.failure_code}), not {attempt.status}"
        if attempt.is_settled or attempt.is_for_nobody:
            ours = (payment.stripe_payment_intent, payment.charge_id, payment.paid_minor, payment.refunded_minor)
            theirs = (bought.intent_id, bought.charge_id, bought.paid_minor, bought.back_minor)
            if ours != theirs:
                yield f"payment {payment.pk} has {ours}, not {theirs}"
        paid_before = world.paid_before_closing.get(payment.order.user_id)
        if bought.outcome == "paid" and attempt.is_for_nobody != _must_be_for_nobody(paid_before, bought.session_id):
            may_be = attempt.is_for_nobody and paid_before is not None
            if not may_be:
                yield f"payment {payment.pk} is for nobody: {attempt.is_for_nobody}"


def _must_be_for_nobody(paid_before: set[str] | None, session_id: str) -> bool:
    return paid_before is not None and session_id not in paid_before


def _refunds_and_disputes(books: Books) -> Iterator[str]:
    bought = books.sessions.values()
    theirs = {(r["id"], r["amount"], r["status"]) for each in bought for r in each.refunds}
    ours = set(Refund.objects.exclude(stripe_id=None).values_list("stripe_id", "amount_minor", "status"))
    yield from (f"refund {refund}: only at Stripe" for refund in theirs - ours)
    yield from (f"refund {refund}: only in our rows" for refund in ours - theirs)
    yield from (f"refund {refund.pk} was never sent" for refund in Refund.objects.unsent())
    theirs = {(d["id"], d["amount"], d["status"]) for each in bought for d in each.disputes}
    rows = Payment.objects.exclude(disputes=None)
    ours = set(rows.values_list("disputes__stripe_id", "disputes__amount_minor", "disputes__status"))
    yield from (f"dispute {dispute}: only at Stripe" for dispute in theirs - ours)
    yield from (f"dispute {dispute}: only in our rows" for dispute in ours - theirs)
    for each in bought:
        labels = Counter(r["metadata"]["refund_id"] for r in each.refunds if r["metadata"])
        yield from (f"refund {label} was sent {times} times" for label, times in labels.items() if times > 1)


def _orders(world: World, books: Books) -> Iterator[str]:
    for order in Order.objects.prefetch_related("items"):
        attempts = _attempts(world, books, order)
        status = order_status(order.total_minor, attempts)
        if order.status != status:
            yield f"order {order.pk} is {order.status}, not {status}"
        for item in order.items.all():
            wanted = access(status, attempts, named_by=_named_by(item.pk, attempts), policy=world.history)
            if item.access != wanted:
                yield f"item {item.pk} of order {order.pk} ({status}) is {item.access}, not {wanted}"
        yield from _attention(order, attempts, world)


def _named_by(item_id: int, attempts: list[Attempt]) -> set[int]:
    """The attempts with a refund at Stripe that names the item."""
    sent = {refund["id"]: each.number for each in attempts if each.bought for refund in each.bought.refunds}
    naming = RefundItem.objects.filter(item=item_id, refund__stripe_id__in=sent)
    return {sent[stripe_id] for stripe_id in naming.values_list("refund__stripe_id", flat=True)}


def _attention(order: Order, attempts: list[Attempt], world: World) -> Iterator[str]:
    """Reasons to show the order to a person; whether there are more is for a person to judge."""
    if order.needs_attention:
        return
    bought = [attempt.bought for attempt in attempts if attempt.bought]
    if any(attempt.is_for_nobody for attempt in attempts):
        yield f"order {order.pk} was paid for nobody, and nobody is told"
    if any(refund["status"] == "failed" for each in bought for refund in each.refunds):
        yield f"a refund of order {order.pk} failed, and nobody is told"
    if any(dispute["status"] in (*OPEN_DISPUTE, "lost") for each in bought for dispute in each.disputes):
        yield f"order {order.pk} is disputed, and nobody is told"
    settled = [attempt.bought for attempt in attempts if attempt.is_settled and attempt.bought]
    kept_minor = sum(each.paid_minor - each.back_minor for each in settled)
    if kept_minor > order.total_minor:
        yield f"order {order.pk} costs {order.total_minor}, {kept_minor} was kept, and nobody is told"


def _rights() -> Iterator[str]:
    rows = Enrollment.objects.all()
    active = Counter(rows.active().values_list("user_id", "course_id"))
    yield from (f"{right} is given {times} times" for right, times in active.items() if times > 1)
    staff = set(rows.filter(source=EnrollmentSource.STAFF).values_list("user_id", "course_id"))
    granted = {
        (order.user_id, item.course_id)
        for order in Order.objects.prefetch_related("items")
        for item in order.items.all()
        if item.access == "granted"
    }
    wanted = staff | granted
    yield from (f"user and course {right}: no active enrollment" for right in wanted - set(active))
    yield from (f"user and course {right}: an enrollment too many" for right in set(active) - wanted)
    kept = OrderItem.objects.filter(is_duplicate=True, access="granted", order__needs_attention="")
    with_money = Payment.objects.filter(status=2, amount_minor__gt=F("discount_minor"))
    for item in kept.filter(net_minor__gt=0, order__payments__in=with_money).distinct():
        yield f"item {item.pk} was paid although the course was owned, and nobody is told"


def _mails(world: World, books: Books) -> Iterator[str]:
    owed, allowed = set(), set()
    refunds = {refund.stripe_id: str(refund.public_id) for refund in Refund.objects.all()}
    for order in Order.objects.prefetch_related("items"):
        attempts = _attempts(world, books, order)
        key = ("payments.order_confirmation", str(order.public_id))
        has_come_back = any(each.bought.refunds or each.bought.disputes for each in attempts if each.bought)
        if order_status(order.total_minor, attempts) not in UNPAID:
            allowed.add(key)
            if not has_come_back:
                owed.add(key)
    for bought in books.sessions.values():
        failed = ("payments.payment_failed", bought.payment_id)
        allowed.add(failed)
        payment = Payment.objects.get(public_id=bought.payment_id)
        if bought.outcome == "failed" and payment.failure_code == FailureCode.ASYNC_FAILED:
            owed.add(failed)
        for refund in bought.refunds:
            key = ("payments.refund_issued", refunds.get(refund["id"], ""))
            allowed.add(key)
            if refund["status"] not in TAKEN_BACK:
                owed.add(key)
        for dispute in bought.disputes:
            opened, closed = ((f"payments.dispute_{word}", dispute["id"]) for word in ("opened", "closed"))
            allowed |= {opened, closed}
            owed |= {opened} if dispute["status"] in OPEN_DISPUTE else set()
            owed |= {closed} if dispute["status"] in CLOSED_DISPUTE else set()
    ours = set(OutgoingMail.objects.values_list("kind", "key"))
    yield from (f"mail {key} is not owed any more" for key in owed - ours)
    yield from (f"mail {key} is owed for nothing" for key in ours - allowed)


def _inbox(world: World) -> Iterator[str]:
    rows = OutgoingMail.objects.all()
    waiting = rows.exclude(status__in=[OutgoingMail.Status.SENT, OutgoingMail.Status.DROPPED])
    yield from (f"mail {mail} is {mail.status}: {mail.last_error}" for mail in waiting)
    sent = rows.filter(status=OutgoingMail.Status.SENT).count()
    arrived = world.sandbox.messages()
    world.counts["mails"] += len(arrived)
    world.counts["mails doubled"] += len(arrived) - sent
    if not sent <= len(arrived) <= sent + world.lost_marks:
        subjects = Counter(mail["subject"] for mail in arrived)
        yield f"{len(arrived)} mails for {sent} sent ones and {world.lost_marks} lost marks: {dict(subjects)}"
    known = set().union(*world.addresses.values())
    yield from (f"a mail went to {mail['to']}" for mail in arrived if not known.issuperset(mail["to"]))


def _is_forward(world: World, change: Change) -> bool:
    name, _, old, new = change
    step = (str(old), str(new))
    if name == "payments_payment.revision":
        return int(new or 0) > int(old or 0)
    if name in ("payments_payment.session_id", "payments_refund.stripe_id", "payments_order.fulfilled_at"):
        return old is None
    if name == "payments_webhookevent.handled_at":
        return new is not None
    if name == "payments_dispute.status":
        return str(new) in _reachable(str(old))
    if name == "payments_order.status":
        return _is_forward_order(world, *step)
    if step in FORWARD[name]:
        return True
    if name == "payments_payment.status" and step == ("-2", "2"):
        return _has_money_returned(world)
    is_again = name == "payments_orderitem.access" and old == "revoked" and new != "none"
    return is_again and (_is_appealed(world) or _is_paid_again(world))


def _is_forward_order(world: World, old: str, new: str) -> bool:
    if old not in UNPAID:
        is_back = old == "refunded" and new != "disputed" and not _has_money_returned(world)
        return new not in UNPAID and not is_back
    return new not in UNPAID or old == "pending" or (old == "processing" and new != "pending") or new == "pending"


def _has_money_returned(world: World) -> bool:
    return bool(world.sandbox.stripe.events("refund.failed")) or _is_appealed(world) or _is_paid_again(world)


def _is_paid_again(world: World) -> bool:
    """Whether a second page of one order was paid, which buys again what was refunded."""
    paid = Counter(b.order_id for b in Books.of(world.sandbox).sessions.values() if b.outcome == "paid")
    return any(times > 1 for times in paid.values())


def _is_appealed(world: World) -> bool:
    disputes = [event["data"]["object"]["status"] for event in world.sandbox.stripe.events("charge.dispute.updated")]
    return "appeal_needs_response" in disputes


def _reachable(status: str) -> set[str]:
    found: set[str] = set()
    ahead = [status]
    while ahead:
        for later in _AFTER.get(ahead.pop(), set()) - found:
            found.add(later)
            ahead.append(later)
    return found
