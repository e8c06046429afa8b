from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from courses import money
from payments.models import Order, OrderItem, OrderStatus, Payment, PaymentStatus
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


class OrderedCourseSerializer(serializers.Serializer[OrderItem]):
    slug = serializers.SlugField(source="course.slug")
    title = serializers.CharField(help_text="As it was when the order was made.")


class OrderItemSerializer(serializers.ModelSerializer[OrderItem]):
    course = OrderedCourseSerializer(source="*", read_only=True)

    class Meta:
        model = OrderItem
        fields = ["course", "net_minor"]


class PaymentSerializer(serializers.ModelSerializer[Payment]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    status = serializers.IntegerField(
        read_only=True, help_text="1 pending, 2 completed, -1 failed, -2 refunded; `status_display` in words."
    )
    status_display = serializers.SerializerMethodField()

    class Meta:
        model = Payment
        fields = ["id", "status", "status_display", "amount_minor"]

    @extend_schema_field(serializers.ChoiceField(choices=[status.name.lower() for status in PaymentStatus]))
    def get_status_display(self, payment: Payment) -> str:
        return PaymentStatus(payment.status).name.lower()


class OrderSerializer(serializers.ModelSerializer[Order]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    total_display = serializers.SerializerMethodField()
    items = OrderItemSerializer(many=True, read_only=True)
    payments = PaymentSerializer(many=True, read_only=True)

    class Meta:
        model = Order
        fields = [
            "id",
            "status",
            "currency",
            "total_minor",
            "total_display",
            "created_at",
            "paid_at",
            "items",
            "payments",
        ]
        read_only_fields = fields

    def get_total_display(self, order: Order) -> str:
        return money.display(order.total_minor, order.currency)
