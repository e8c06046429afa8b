"""Money in the admin: it is looked at, asked about at Stripe and given back here, and never edited."""

from payments.admin import disputes, events, orders, payments, refunds

__all__ = ["disputes", "events", "orders", "payments", "refunds"]
