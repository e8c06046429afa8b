import secrets
import string

ALPHABET = string.ascii_letters + string.digits

COLLECTIONS = {
    "cs_test": "stripe.sessions",
    "pi": "stripe.payment_intents",
    "ch": "stripe.charges",
    "evt": "stripe.events",
    "prod": "stripe.products",
    "price": "stripe.prices",
    "cus": "stripe.customers",
    "re": "stripe.refunds",
    "dp": "stripe.disputes",
    "du": "stripe.disputes",
    "txn": "stripe.balance_transactions",
    "promo": "stripe.promotion_codes",
    "we": "stripe.webhook_endpoints",
}


def new_id(prefix: str, *, length: int = 24) -> str:
    """An id in Stripe's form: a prefix that tells the kind of object, an underscore, then letters and digits."""
    return f"{prefix}_{''.join(secrets.choice(ALPHABET) for _ in range(length))}"


def collection_of(object_id: str) -> str | None:
    """The store's collection that would hold an object with this id, told by the prefix."""
    prefix, _, rest = object_id.rpartition("_")
    return COLLECTIONS.get(prefix) if rest else None
