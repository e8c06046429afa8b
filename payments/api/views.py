from typing import Any, cast

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from courses.models import Course
from payments.api.errors import api_errors
from payments.api.order_list import order_rows
from payments.api.serializers import CheckoutRequestSerializer, CheckoutSerializer, OrderSerializer, ReceiptSerializer
from payments.models import Order, OrderQuerySet
from payments.services.checkout import start_checkout
from payments.services.receipts import get_receipt_url
from payments.services.sync import sync_order
from users.models import User

UNVERIFIED = OpenApiResponse(description="`email_unverified`: the address has to be confirmed first.")
CONFLICT = OpenApiResponse(
    description="`already_enrolled`, `already_paid`, `payment_processing`, `payment_under_review` or "
    "`too_many_open_checkouts`."
)
REJECTED = OpenApiResponse(description="`provider_rejected`: the payment service refused the order.")
NO_RECEIPT = OpenApiResponse(description="`not_found`, or `no_receipt`: nothing was charged for the order.")
UNAVAILABLE = OpenApiResponse(description="`provider_unavailable`, with `Retry-After` in seconds.")


def _student(request: Request) -> User:
    return cast(User, request.user)


class Personal(APIView):
    """What is answered is about one student, so nothing on the way keeps it."""

    @property
    def default_response_headers(self) -> dict[str, str]:
        return super().default_response_headers | {"Cache-Control": "no-store"}


class CheckoutView(Personal):
    throttle_scope = "checkout"

    @extend_schema(
        operation_id="payments_checkout",
        summary="Buy a course",
        description="Creates an order, or takes up the open one, and answers the checkout page to send the browser to. "
        "Needs a verified address (403 `email_unverified`). A free course is given at once: `url` is null.",
        request=CheckoutRequestSerializer,
        responses={201: CheckoutSerializer, 403: UNVERIFIED, 409: CONFLICT, 502: REJECTED, 503: UNAVAILABLE},
    )
    def post(self, request: Request) -> Response:
        wanted = CheckoutRequestSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        course = get_object_or_404(Course.objects.published(), pk=wanted.validated_data["course_id"])
        with api_errors():
            checkout = start_checkout(user=_student(request), course=course)
        return Response(CheckoutSerializer(checkout).data, status=status.HTTP_201_CREATED)


class MyOrders(Personal, generics.GenericAPIView[Order]):
    serializer_class = OrderSerializer
    lookup_field = "public_id"

    def get_queryset(self) -> OrderQuerySet:
        if getattr(self, "swagger_fake_view", False):
            return Order.objects.none()
        return Order.objects.filter(user=_student(self.request))


class OrderListView(generics.ListAPIView[Order], MyOrders):
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        orders = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(order_rows(orders or []))


class OrderDetailView(generics.RetrieveAPIView[Order], MyOrders):
    pass


class OrderReceiptView(MyOrders):
    throttle_scope = "receipt"

    @extend_schema(
        operation_id="payments_orders_receipt",
        summary="Where the receipt of an order is",
        description="Asks Stripe now; open the address at once and keep it nowhere, it names the buyer.",
        responses={200: ReceiptSerializer, 404: NO_RECEIPT, 503: UNAVAILABLE},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        with api_errors():
            url = get_receipt_url(self.get_object())
        return Response(ReceiptSerializer({"url": url}).data)


class OrderSyncView(MyOrders):
    throttle_scope = "order_sync"

    @extend_schema(
        operation_id="payments_orders_sync",
        summary="Ask what became of an order",
        description="For the page that a student lands on after paying: asks Stripe unless the order is fulfilled, and "
        "answers the order. Poll it every two seconds while `status` is `pending` or `processing`.",
        request=None,
        responses={200: OrderSerializer, 503: UNAVAILABLE},
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        with api_errors():
            order = sync_order(self.get_object())
        return Response(self.get_serializer(order).data)
