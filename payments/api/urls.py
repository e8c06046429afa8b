from django.urls import path

from payments.api import views
from payments.api.webhook import stripe_webhook

app_name = "payments"

urlpatterns = [
    path("payments/", views.CheckoutView.as_view(), name="checkout"),
    path("orders/", views.OrderListView.as_view(), name="order-list"),
    path("orders/<uuid:public_id>/", views.OrderDetailView.as_view(), name="order-detail"),
    path("orders/<uuid:public_id>/sync/", views.OrderSyncView.as_view(), name="order-sync"),
    path("orders/<uuid:public_id>/receipt/", views.OrderReceiptView.as_view(), name="order-receipt"),
    path("stripe/webhook/", stripe_webhook, name="stripe-webhook"),
]
