"""The routes of `/stripe/v1`. Subscriptions, invoices and the portal are not served yet."""

from typing import Any, TypedDict

import flask
from stripe.params import (
    ChargeListParams,
    ChargeRetrieveParams,
    CouponCreateParams,
    CouponListParams,
    CouponRetrieveParams,
    CouponUpdateParams,
    CustomerCreateParams,
    CustomerRetrieveParams,
    DisputeCloseParams,
    DisputeListParams,
    DisputeRetrieveParams,
    DisputeUpdateParams,
    EventListParams,
    EventRetrieveParams,
    PaymentIntentListParams,
    PaymentIntentRetrieveParams,
    PriceCreateParams,
    PriceRetrieveParams,
    ProductCreateParams,
    ProductRetrieveParams,
    PromotionCodeCreateParams,
    PromotionCodeListParams,
    PromotionCodeRetrieveParams,
    PromotionCodeUpdateParams,
    RefundCancelParams,
    RefundCreateParams,
    RefundListParams,
    RefundRetrieveParams,
    RefundUpdateParams,
    WebhookEndpointListParams,
    WebhookEndpointRetrieveParams,
)
from stripe.params.checkout import (
    SessionCreateParams,
    SessionExpireParams,
    SessionListLineItemsParams,
    SessionListParams,
    SessionRetrieveParams,
)

from sandbox.store import Record, Where
from sandbox.stripe import command_line, resources, thin
from sandbox.stripe.errors import StripeError, missing_object
from sandbox.stripe.events import COLLECTION as EVENTS
from sandbox.stripe.ids import new_id
from sandbox.stripe.ledger import CHARGES, COUPONS, DISPUTES, INTENTS, PROMOTION_CODES, REFUNDS, SESSIONS
from sandbox.stripe.protocol import Handler, authenticate, refusal, respond, view
from sandbox.stripe.reading import page, same, stored_page
from sandbox.stripe.stand_in import StripeSandbox

Data = dict[str, Any]
MOST_TYPES, HOOKS = 20, "/v1/webhook_endpoints"


class NoParams(TypedDict):
    """The parameters of a call that takes none."""


def create_api(sandbox: StripeSandbox) -> flask.Blueprint:
    api = flask.Blueprint("v1", __name__)
    store, catalogue, checkout = sandbox.context.store, sandbox.catalogue, sandbox.checkout
    refunds, disputes, discounts = sandbox.money_back, sandbox.quarrels, sandbox.discounts

    def route(method: str, rule: str, parameters: type, handler: Handler) -> None:
        endpoint = f"{method.lower()}_{rule.strip('/').replace('/', '_').replace('<', '').replace('>', '')}"
        api.add_url_rule(rule, endpoint, view(sandbox, handler, parameters), methods=[method])

    def retrieval(collection: str, kind: str) -> Handler:
        def retrieve(data: Data, id: str) -> Record:
            record = store.get(collection, id)
            if record is None:
                raise missing_object(kind, id)
            return record

        return retrieve

    def listing(collection: str, path: str, *names: str) -> Handler:
        def list_them(data: Data) -> Record:
            return stored_page(store, collection, data, path=path, where=same(data, *names))

        return list_them

    def list_sessions(data: Data) -> Record:
        checkout.expire_due()
        where = same(data, "status", "payment_intent", "customer", "subscription", "payment_link")
        if email := data.get("customer_details", {}).get("email"):
            where.append(Where("customer_details.email", "=", email))
        return stored_page(store, SESSIONS, data, path="/v1/checkout/sessions", where=where)

    def list_codes(data: Data) -> Record:
        where = same(data, "active", "code", "customer")
        if "coupon" in data:
            where.append(Where("promotion.coupon", "=", data["coupon"]))
        return stored_page(store, PROMOTION_CODES, data, path="/v1/promotion_codes", where=where)

    def update_coupon(data: Data, id: str) -> Record:
        return discounts.update(COUPONS, data, id, kind="coupon")

    def update_code(data: Data, id: str) -> Record:
        return discounts.update(PROMOTION_CODES, data, id, kind="promotion_code")

    def list_line_items(data: Data, id: str) -> Record:
        checkout.session(id)
        return page(checkout.line_items(id), data, path=f"/v1/checkout/sessions/{id}/line_items")

    def list_events(data: Data) -> Record:
        return stored_page(store, EVENTS, data, path="/v1/events", where=_events_wanted(data))

    def endpoints() -> list[Record]:
        settings, url = sandbox.settings, sandbox.context.webhooks.stripe_url
        version, status = settings.webhook_endpoint_version, settings.webhook_endpoint_status
        known = resources.webhook_endpoint(url, settings.enabled_events, api_version=version, status=status)
        return [known] if url else []

    def retrieve_endpoint(data: Data, id: str) -> Record:
        found = [endpoint for endpoint in endpoints() if endpoint["id"] == id]
        if not found:
            raise missing_object("webhook_endpoint", id)
        return found[0]

    route("POST", "/checkout/sessions", SessionCreateParams, checkout.create)
    route("GET", "/checkout/sessions", SessionListParams, list_sessions)
    route("GET", "/checkout/sessions/<id>", SessionRetrieveParams, lambda data, id: checkout.session(id))
    route("POST", "/checkout/sessions/<id>/expire", SessionExpireParams, lambda data, id: checkout.expire(id))
    route("GET", "/checkout/sessions/<id>/line_items", SessionListLineItemsParams, list_line_items)
    route("GET", "/payment_intents", PaymentIntentListParams, listing(INTENTS, "/v1/payment_intents", "customer"))
    route("GET", "/payment_intents/<id>", PaymentIntentRetrieveParams, retrieval(INTENTS, "payment_intent"))
    charges = listing(CHARGES, "/v1/charges", "payment_intent", "customer", "transfer_group")
    route("GET", "/charges", ChargeListParams, charges)
    route("GET", "/charges/<id>", ChargeRetrieveParams, retrieval(CHARGES, "charge"))
    route("POST", "/refunds", RefundCreateParams, refunds.create)
    route("GET", "/refunds", RefundListParams, listing(REFUNDS, "/v1/refunds", "charge", "payment_intent"))
    route("GET", "/refunds/<id>", RefundRetrieveParams, lambda data, id: refunds.refund(id))
    route("POST", "/refunds/<id>", RefundUpdateParams, refunds.update)
    route("POST", "/refunds/<id>/cancel", RefundCancelParams, lambda data, id: refunds.cancel(id))
    route("GET", "/disputes", DisputeListParams, listing(DISPUTES, "/v1/disputes", "charge", "payment_intent"))
    route("GET", "/disputes/<id>", DisputeRetrieveParams, lambda data, id: disputes.dispute(id))
    route("POST", "/disputes/<id>", DisputeUpdateParams, disputes.update)
    route("POST", "/disputes/<id>/close", DisputeCloseParams, lambda data, id: disputes.close(id))
    route("GET", "/events", EventListParams, list_events)
    route("GET", "/events/<id>", EventRetrieveParams, retrieval(EVENTS, "event"))
    route("POST", "/products", ProductCreateParams, catalogue.create_product)
    route("GET", "/products/<id>", ProductRetrieveParams, retrieval("stripe.products", "product"))
    route("POST", "/prices", PriceCreateParams, catalogue.create_price)
    route("GET", "/prices/<id>", PriceRetrieveParams, retrieval("stripe.prices", "price"))
    route("POST", "/customers", CustomerCreateParams, catalogue.create_customer)
    route("GET", "/customers/<id>", CustomerRetrieveParams, retrieval("stripe.customers", "customer"))
    route("POST", "/coupons", CouponCreateParams, discounts.create_coupon)
    route("GET", "/coupons", CouponListParams, listing(COUPONS, "/v1/coupons"))
    route("GET", "/coupons/<id>", CouponRetrieveParams, retrieval(COUPONS, "coupon"))
    route("POST", "/coupons/<id>", CouponUpdateParams, update_coupon)
    route("POST", "/promotion_codes", PromotionCodeCreateParams, discounts.create_promotion_code)
    route("GET", "/promotion_codes", PromotionCodeListParams, list_codes)
    route("GET", "/promotion_codes/<id>", PromotionCodeRetrieveParams, retrieval(PROMOTION_CODES, "promotion code"))
    route("POST", "/promotion_codes/<id>", PromotionCodeUpdateParams, update_code)
    route("GET", "/webhook_endpoints", WebhookEndpointListParams, lambda data: page(endpoints(), data, path=HOOKS))
    route("GET", "/webhook_endpoints/<id>", WebhookEndpointRetrieveParams, retrieve_endpoint)

    command_line.add_routes(api, sandbox)

    @api.route("/<path:rest>", methods=["GET", "POST", "DELETE"])
    def unknown(rest: str) -> flask.Response:
        try:
            authenticate(sandbox.context.config.stripe_secret_key)
            message = f"Unrecognized request URL ({flask.request.method}: /v1/{rest})."
            raise StripeError(message, status=404)
        except StripeError as error:
            return respond(refusal(error, new_id("req", length=14)))

    return api


def create_api_of_thin_events(sandbox: StripeSandbox) -> flask.Blueprint:
    """The routes of `/stripe/v2`: what a thin event stands for."""
    api = flask.Blueprint("v2", __name__)

    def retrieve(data: Data, id: str) -> Record:
        event = sandbox.context.store.get(EVENTS, thin.full_id(id))
        if event is None:
            raise missing_object("event", id)
        return thin.notification(event) | {"snapshot_event": event["id"]}

    api.add_url_rule("/core/events/<id>", "event", view(sandbox, retrieve, NoParams), methods=["GET"])
    return api


def _events_wanted(data: Data) -> list[Where]:
    if "type" in data and "types" in data:
        message = "You may only specify one of these parameters: type, types."
        raise StripeError(message, code="parameters_exclusive", param="types")
    types = data.get("types", ())
    if len(types) > MOST_TYPES:
        raise StripeError(f"Array types exceeded maximum {MOST_TYPES} allowed elements.", param="types")
    where = []
    if "types" in data:
        where.append(Where("type", "IN", types))
    if "type" in data:
        where.append(Where("type", "GLOB" if data["type"].endswith("*") else "=", data["type"]))
    if "delivery_success" in data:
        where.append(Where("pending_webhooks", "=" if data["delivery_success"] else ">", 0))
    return where
