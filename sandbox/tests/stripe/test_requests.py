import time

import pytest
import stripe

from sandbox.tests.stripe.making import line_item, make_session, session_params


def refused(client, **overrides):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        make_session(client, **overrides)
    assert caught.value.http_status == 400
    return caught.value


@pytest.mark.parametrize(
    ("overrides", "param", "code"),
    [
        ({"payment_method_types": ["card"]}, "payment_method_types", "parameter_unknown"),
        ({"ui_mode": "hosted"}, "ui_mode", None),
        ({"mode": None}, "mode", "parameter_missing"),
        ({"mode": "buy"}, "mode", None),
        ({"success_url": None}, "success_url", "parameter_missing"),
        ({"success_url": "/paid"}, "success_url", "url_invalid"),
        ({"success_url": "javascript:alert(1)"}, "success_url", "url_invalid"),
        ({"cancel_url": "paid.html"}, "cancel_url", "url_invalid"),
        ({"cancel_url": ""}, "cancel_url", "parameter_invalid_empty"),
        ({"line_items": None}, "line_items", "parameter_missing"),
        ({"line_items": [line_item() | {"quantity": "1.5"}]}, "line_items[0][quantity]", "parameter_invalid_integer"),
        ({"line_items": [line_item() | {"quantity": 0}]}, "line_items[0][quantity]", "parameter_invalid_integer"),
        ({"line_items": [line_item() | {"amount": 4900}]}, "line_items[0][amount]", "parameter_unknown"),
        ({"line_items": [{"quantity": 1}]}, "line_items[0]", "parameter_missing"),
        ({"line_items": [{"quantity": 1, "price": "price_none"}]}, "line_items[0][price]", "resource_missing"),
        (
            {"line_items": [line_item(product_data={"description": "no name"})]},
            "line_items[0][price_data][product_data][name]",
            "parameter_missing",
        ),
        (
            {"line_items": [line_item(product_data={"name": "A", "images": ["a.png"]})]},
            "line_items[0][price_data][product_data][images]",
            "url_invalid",
        ),
        (
            {"line_items": [line_item(unit_amount=49.5)]},
            "line_items[0][price_data][unit_amount]",
            "parameter_invalid_integer",
        ),
        ({"line_items": [line_item(unit_amount=49)]}, None, "amount_too_small"),
        ({"line_items": [line_item(), line_item(currency="eur")]}, "line_items", None),
        ({"line_items": [line_item()] * 101}, "line_items", None),
        ({"automatic_tax": {"liability": {"type": "self"}}}, "automatic_tax[enabled]", "parameter_missing"),
        ({"automatic_tax": {"enabled": "maybe"}}, "automatic_tax[enabled]", None),
        ({"metadata": {"k": "v" * 501}}, "metadata[k]", None),
        ({"metadata": {"k" * 41: "v"}}, "metadata", None),
        ({"metadata": {f"k{number}": "v" for number in range(51)}}, "metadata", None),
        ({"payment_intent_data": {"metadata": {"k": "v" * 501}}}, "payment_intent_data[metadata][k]", None),
        ({"customer_email": "nobody"}, "customer_email", "email_invalid"),
        ({"customer": "cus_none", "customer_email": None}, "customer", "resource_missing"),
        ({"client_reference_id": "x" * 201}, "client_reference_id", None),
        ({"discounts": [{"coupon": "HALF"}]}, "discounts[0][coupon]", "resource_missing"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(client, overrides, param, code):
    error = refused(client, **overrides)
    assert (error.param, error.code) == (param, code)
    assert client.v1.checkout.sessions.list().data == []


def test_customer_and_customer_email_exclude_each_other(client):
    customer = client.v1.customers.create({"email": "a@example.test"})
    assert refused(client, customer=customer.id).code == "parameters_exclusive"


def test_every_unknown_parameter_is_named(client):
    error = refused(client, colour="red", taste="sweet")
    assert error.user_message == "Received unknown parameters: colour, taste"


@pytest.mark.parametrize(("currency", "minimum"), [("usd", 50), ("eur", 50), ("gbp", 30), ("jpy", 50)])
def test_the_lowest_charge_depends_on_the_currency(client, currency, minimum):
    assert make_session(client, line_items=[line_item(currency=currency, unit_amount=minimum)]).amount_total == minimum
    error = refused(client, line_items=[line_item(currency=currency, unit_amount=minimum - 1)])
    assert error.code == "amount_too_small"


@pytest.mark.parametrize("seconds", [29 * 60, 24 * 3600 + 60])
def test_a_session_may_not_expire_sooner_than_in_30_minutes_or_later_than_in_24_hours(client, seconds):
    assert refused(client, expires_at=int(time.time()) + seconds).param == "expires_at"


@pytest.mark.parametrize("seconds", [31 * 60, 24 * 3600 - 60])
def test_a_session_expires_when_asked_to(client, seconds):
    expires_at = int(time.time()) + seconds
    assert make_session(client, expires_at=expires_at).expires_at == expires_at


def test_an_empty_metadata_value_is_left_out(client):
    assert make_session(client, metadata={"a": "", "b": "c"}).metadata.to_dict() == {"b": "c"}


def test_a_price_of_the_catalogue_can_be_sold(client):
    product = client.v1.products.create({"name": "Pro", "metadata": {"tier": "pro"}})
    price = client.v1.prices.create({"currency": "USD", "unit_amount": 1900, "product": product.id})
    session = make_session(client, line_items=[{"price": price.id, "quantity": 2}])
    assert (session.amount_total, session.currency) == (3800, "usd")
    assert client.v1.prices.retrieve(price.id, {"expand": ["product"]}).product.name == "Pro"
    assert client.v1.products.retrieve(product.id).metadata["tier"] == "pro"


def test_a_recurring_price_is_not_for_a_single_payment(client):
    price = client.v1.prices.create(
        {
            "currency": "usd",
            "unit_amount": 1900,
            "product_data": {"name": "Pro"},
            "recurring": {"interval": "month"},
        }
    )
    refused(client, line_items=[{"price": price.id, "quantity": 1}])


def test_a_list_filter_of_the_wrong_type_is_refused(client):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.checkout.sessions.list({"created": {"gte": "yesterday"}})
    assert (caught.value.param, caught.value.code) == ("created[gte]", "parameter_invalid_integer")


def test_the_parameters_of_every_option_at_once_are_understood(client):
    session = make_session(
        client,
        **session_params(
            adaptive_pricing={"enabled": False},
            billing_address_collection="required",
            consent_collection={"terms_of_service": "required"},
            custom_text={"submit": {"message": "Thank you."}},
            customer_creation="always",
            invoice_creation={"enabled": True},
            locale="de",
            phone_number_collection={"enabled": True},
            submit_type="pay",
            tax_id_collection={"enabled": True},
        ),
    )
    assert session.custom_text.submit.message == "Thank you."
    assert session.consent_collection.terms_of_service == "required"
