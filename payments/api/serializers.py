from typing import Any

from rest_framework import serializers

from payments.api.order_list import order_rows
from payments.models import Access, Order, OrderStatus, PaymentStatus, RefundStatus
from payments.services.checkout import Checkout

LARGEST_ID = 2**63 - 1


class CheckoutRequestSerializer(serializers.Serializer[None]):
    course_id = serializers.IntegerField(min_value=1, max_value=LARGEST_ID)


class CheckoutSerializer(serializers.Serializer[Checkout]):
    """Send the browser to `url`; without one the course was free and is the student's already."""

    checkout_session_id = serializers.CharField(source="session_id", allow_null=True)
    url = serializers.URLField(allow_null=True)
    order_id = serializers.UUIDField(source="order.public_id")
    status = serializers.ChoiceField(source="order.status", choices=OrderStatus.choices)


class OrderedCourseSerializer(serializers.Serializer[None]):
    slug = serializers.SlugField()
    title = serializers.CharField(help_text="As it was when the order was made.")


class OrderItemSerializer(serializers.Serializer[None]):
    course = OrderedCourseSerializer()
    net_minor = serializers.IntegerField()
    access = serializers.ChoiceField(
        choices=Access.choices, help_text="What this order gives now; the student may own the course otherwise."
    )


class PaymentSerializer(serializers.Serializer[None]):
    id = serializers.UUIDField()
    status = serializers.IntegerField(
        help_text="1 pending, 2 completed, -1 failed, -2 refunded; `status_display` in words."
    )
    status_display = serializers.ChoiceField(choices=[status.name.lower() for status in PaymentStatus])
    amount_minor = serializers.IntegerField()


class RefundSerializer(serializers.Serializer[None]):
    amount_minor = serializers.IntegerField()
    amount_display = serializers.CharField()
    status = serializers.ChoiceField(choices=RefundStatus.choices)
    created_at = serializers.DateTimeField()


class OrderSerializer(serializers.Serializer[Order]):
    """The shape of what `order_rows` gives, for one order or a page of them."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=OrderStatus.choices)
    is_under_review = serializers.BooleanField(
        help_text="Money came that does not fit the order, and a person looks at it: nothing is to be paid again."
    )
    status_text = serializers.CharField(help_text="The state in a sentence for the student.")
    currency = serializers.CharField()
    total_minor = serializers.IntegerField()
    total_display = serializers.CharField()
    discount_minor = serializers.IntegerField(help_text="What a promotion code took off `total_minor`.")
    discount_display = serializers.CharField()
    refunded_minor = serializers.IntegerField(help_text="What went back to the student, by refunds or by their bank.")
    refunded_display = serializers.CharField()
    created_at = serializers.DateTimeField()
    paid_at = serializers.DateTimeField(allow_null=True)
    has_receipt = serializers.BooleanField(help_text="Whether `receipt/` leads to one.")
    items = OrderItemSerializer(many=True)
    payments = PaymentSerializer(many=True)
    refunds = RefundSerializer(many=True)

    def to_representation(self, order: Order) -> dict[str, Any]:
        return order_rows([order])[0]


class ReceiptSerializer(serializers.Serializer[dict[str, str]]):
    url = serializers.URLField()
