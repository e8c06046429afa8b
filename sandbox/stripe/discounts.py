from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.store import Record, Where
from sandbox.stripe import money, offers
from sandbox.stripe.errors import StripeError, missing_object
from sandbox.stripe.ledger import CHARGES, COUPONS, DETAILS, INTENTS, PROMOTION_CODES, SESSIONS, Ledger
from sandbox.stripe.limits import check_length, check_metadata, merged_metadata

NO_SUCH_CODE = "This code is invalid."


class Discounts:
    """Coupons, the promotion codes that lead to them, and what they take off a Checkout Session.

    https://docs.stripe.com/payments/checkout/discounts
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._store = ledger.store

    def create_coupon(self, data: dict[str, Any]) -> Record:
        """Raises StripeError (400) unless it takes off either a percentage or an amount of a currency."""
        for name in {"applies_to", "currency_options"} & data.keys():
            raise StripeError(f"The sandbox does not know {name} of a coupon.", param=name)
        if ("percent_off" in data) == ("amount_off" in data):
            raise StripeError("You must pass either percent_off or amount_off.", param="percent_off")
        if "percent_off" in data and not 0 < Decimal(data["percent_off"]) <= 100:
            raise StripeError("Invalid percent_off: must be greater than 0 and at most 100", param="percent_off")
        if "amount_off" in data and (data["amount_off"] < 1 or "currency" not in data):
            param = "currency" if data["amount_off"] >= 1 else "amount_off"
            raise StripeError(f"Missing or invalid param: {param}.", code="parameter_missing", param=param)
        if (data.get("duration") == "repeating") != ("duration_in_months" in data):
            raise StripeError("duration_in_months belongs to repeating coupons.", param="duration_in_months")
        check_length(data.get("name", ""), 40, param="name")
        check_metadata(data.get("metadata"), param="metadata")
        coupon = offers.coupon(data, now=self._ledger.settings.now())
        with self._store.lock:
            if self._store.get(COUPONS, coupon["id"]):
                raise StripeError("Coupon already exists.", code="resource_already_exists", param="id")
            return self._ledger.keep(COUPONS, coupon)

    def create_promotion_code(self, data: dict[str, Any]) -> Record:
        """Raises StripeError (400) for an unknown coupon or a code that another active one has."""
        coupon_id = data["promotion"].get("coupon", "")
        if self._store.get(COUPONS, coupon_id) is None:
            raise missing_object("coupon", coupon_id, param="promotion[coupon]", status=400)
        check_metadata(data.get("metadata"), param="metadata")
        made = offers.promotion_code(data, now=self._ledger.settings.now())
        with self._store.lock:
            if made["active"] and self._active(made["code"]):
                message = f"An active promotion code with `code: {made['code']}` already exists."
                raise StripeError(message, code="resource_already_exists", param="code")
            return self._ledger.keep(PROMOTION_CODES, made)

    def update(self, collection: str, data: dict[str, Any], id: str, *, kind: str) -> Record:
        """Change metadata and what else may change: a coupon's name, whether a code is active."""
        if "restrictions" in data or "currency_options" in data:
            raise StripeError(f"The sandbox does not change this of a {kind}.", param="restrictions")
        check_metadata(data.get("metadata"), param="metadata")
        with self._store.lock:
            record = self._store.get(collection, id)
            if record is None:
                raise missing_object(kind, id)
            metadata = merged_metadata(record["metadata"], data)
            return self._ledger.change(collection, record, data | {"metadata": metadata})

    def chosen(self, sent: list[Record], *, param: str = "discounts") -> Record:
        """The session's form of the one discount that a request for a session names."""
        if len(sent) != 1 or len(sent[0]) != 1:
            raise StripeError("Exactly one coupon or promotion code can be given.", param=param)
        [(kind, object_id)] = sent[0].items()
        collection = COUPONS if kind == "coupon" else PROMOTION_CODES
        if self._store.get(collection, object_id) is None:
            raise missing_object(kind, object_id, param=f"{param}[0][{kind}]", status=400)
        return {"coupon": None, "promotion_code": None, kind: object_id}

    def apply_code(self, session_id: str, code: str) -> Record:
        """Take off an open session what the code gives, in the place of an earlier code; '' takes nothing off.

        Raises StripeError (400) when the session takes no codes or the code does not fit it.
        """
        with self._store.lock:
            session = self._store.get(SESSIONS, session_id)
            if session is None:
                raise missing_object("checkout.session", session_id, param="session")
            if session["status"] != "open" or not session["allow_promotion_codes"]:
                raise StripeError("This Checkout Session takes no promotion codes.", param="promotion_code")
            found = self._active(code) if code else None
            if code and found is None:
                raise StripeError(NO_SUCH_CODE, code="promotion_code_invalid", param="promotion_code")
            chosen = [{"coupon": None, "promotion_code": found["id"]}] if found else []
            return self.apply(session, chosen)

    def apply(self, session: Record, chosen: list[Record]) -> Record:
        """The open session, its line items and its intent at the price that the discount leaves."""
        details = self._store.get(DETAILS, session["id"]) or {}
        items = details["line_items"]
        off = sum(self._off(session, each) for each in chosen)
        total = session["amount_subtotal"] - off
        money.check_total(total, session["currency"])
        for item, share in zip(items, spread(off, [item["amount_subtotal"] for item in items]), strict=True):
            item |= {"amount_discount": share, "amount_total": item["amount_subtotal"] - share}
        self._store.put(DETAILS, session["id"], details)
        if intent := self._store.get(INTENTS, session["payment_intent"] or ""):
            self._ledger.change(INTENTS, intent, {"amount": total})
        values = {
            "amount_total": total,
            "discounts": chosen,
            "payment_status": "unpaid" if total else "no_payment_required",
            "total_details": session["total_details"] | {"amount_discount": off},
        }
        return self._ledger.change(SESSIONS, session, values)

    def redeem(self, session: Record) -> None:
        """Count the use of a completed session's discount; what is used up ends."""
        for discount in session["discounts"]:
            code, coupon = self._behind(discount)
            for collection, record, flag in ((PROMOTION_CODES, code, "active"), (COUPONS, coupon, "valid")):
                if record:
                    used = record["times_redeemed"] + 1
                    is_left = used < (record["max_redemptions"] or used + 1)
                    self._ledger.change(collection, record, {"times_redeemed": used, flag: record[flag] and is_left})

    def expire_due(self) -> None:
        """End the coupons and codes whose time is up."""
        now = self._ledger.settings.now()
        for collection, flag, until in ((PROMOTION_CODES, "active", "expires_at"), (COUPONS, "valid", "redeem_by")):
            for record in self._store.search(collection, [Where(flag, "=", True), Where(until, "<=", now)]):
                self._ledger.change(collection, record, {flag: False})

    def _active(self, code: str) -> Record | None:
        self.expire_due()
        found = self._store.search(PROMOTION_CODES, [Where("active", "=", True)])
        return next((each for each in found if each["code"].upper() == code.strip().upper()), None)

    def _behind(self, discount: Record) -> tuple[Record | None, Record]:
        code = self._store.get(PROMOTION_CODES, discount["promotion_code"] or "")
        return code, self._store.get(COUPONS, code["promotion"]["coupon"] if code else discount["coupon"]) or {}

    def _off(self, session: Record, discount: Record) -> int:
        code, coupon = self._behind(discount)
        subtotal, currency = int(session["amount_subtotal"]), session["currency"]
        if not coupon["valid"] or coupon["currency"] not in (None, currency):
            raise StripeError(NO_SUCH_CODE, code="coupon_expired", param="discounts")
        if code:
            self._check_restrictions(code, session)
        if coupon["percent_off"] is None:
            return min(int(coupon["amount_off"]), subtotal)
        exact = subtotal * Decimal(str(coupon["percent_off"])) / 100
        return int(exact.quantize(Decimal(1), ROUND_HALF_UP))

    def _check_restrictions(self, code: Record, session: Record) -> None:
        restrictions, customer = code["restrictions"], session["customer"]
        least, currency = restrictions["minimum_amount"], restrictions["minimum_amount_currency"]
        if not code["active"] or code["customer"] not in (None, customer):
            raise StripeError(NO_SUCH_CODE, code="promotion_code_invalid", param="promotion_code")
        if least is not None and (currency != session["currency"] or session["amount_subtotal"] < least):
            raise StripeError(f"This code needs an order of at least {money.display(least, currency)}.")
        if restrictions["first_time_transaction"]:
            bought = self._store.search(CHARGES, [Where("customer", "=", customer or ""), Where("paid", "=", True)])
            if customer is None or bought:
                raise StripeError("This code is for the first order of a known customer.", param="promotion_code")


def spread(amount: int, weights: list[int]) -> list[int]:
    """The amount over the weights, in whole minor units that add up to it, by largest remainder."""
    total = sum(weights)
    if not total:
        return [0 for _ in weights]
    shares = [amount * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: -(amount * weights[index] % total))
    for index in by_remainder[: amount - sum(shares)]:
        shares[index] += 1
    return shares
