from urllib.parse import urlencode

from django.conf import settings

from courses.images import image_path
from courses.models import Course
from payments.models import Order, Payment
from payments.stripe import Line, SessionRequest


def session_request(order: Order, payment: Payment) -> SessionRequest:
    """The checkout page for one attempt, made from the frozen order alone, so that a repeated request is the same."""
    items = list(order.items.select_related("course"))
    slug = items[0].course.slug
    expires_at = payment.session_expires_at
    if expires_at is None:
        raise ValueError(f"payment {payment.public_id} was reserved without an end")
    return SessionRequest(
        currency=order.currency,
        lines=tuple(
            Line(title=item.title, amount_minor=item.net_minor, image_url=_picture(item.course)) for item in items
        ),
        customer_email=order.user.email,
        client_reference_id=str(order.public_id),
        metadata={
            "user_id": str(order.user_id),
            "user_email": order.user.email,
            "order_id": str(order.public_id),
            "payment_id": str(payment.public_id),
            "env": settings.PAYMENTS_ENV,
        },
        success_url=_frontend(
            "payment-success", slug, f"&session_id={{CHECKOUT_SESSION_ID}}&order_id={order.public_id}"
        ),
        cancel_url=_frontend("payment-cancel", slug),
        expires_at=expires_at,
        idempotency_key=payment.idempotency_key,
        takes_promotion_codes=settings.PAYMENTS_PROMOTION_CODES,
    )


def _frontend(page: str, slug: str, rest: str = "") -> str:
    return f"{settings.FRONTEND_URL}/dashboard/{page}?{urlencode({'course-slug': slug})}{rest}"


def _picture(course: Course) -> str:
    path = image_path("thumbnails", course.pk, course.thumbnail)
    return f"{settings.PUBLIC_URL}{path}" if path else ""
