import re

import pytest
import requests
import stripe

from sandbox.stripe.discounts import spread
from sandbox.tests.stripe.making import DECLINED, line_item, make_session

THREE = [line_item(unit_amount=amount) for amount in (1000, 1000, 999)]


def make_code(client, code="SPRING", restrictions=None, **coupon):
    made = client.v1.coupons.create(coupon or {"percent_off": 25})
    params = {"promotion": {"type": "coupon", "coupon": made.id}, "code": code}
    return client.v1.promotion_codes.create(params | ({"restrictions": restrictions} if restrictions else {}))


def open_session(client, **overrides):
    return make_session(client, allow_promotion_codes=True, **overrides)


@pytest.mark.parametrize(
    ("coupon", "off", "shares"),
    [
        ({"percent_off": 33.3}, 999, [333, 333, 333]),
        ({"percent_off": 0.05}, 1, [1, 0, 0]),
        ({"amount_off": 500, "currency": "usd"}, 500, [167, 167, 166]),
        ({"amount_off": 9000, "currency": "usd"}, 2999, [1000, 1000, 999]),
    ],
)
def test_a_code_changes_the_total_and_every_line(sandbox, client, coupon, off, shares):
    code = make_code(client, **coupon)
    session = open_session(client, line_items=THREE)
    sandbox.stripe.apply_promotion_code(session.id, "spring")
    cheaper = client.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["line_items", "discounts.promotion_code.promotion.coupon"]}
    )
    assert (cheaper.amount_subtotal, cheaper.amount_total) == (2999, 2999 - off)
    assert cheaper.total_details.amount_discount == off
    assert [item.amount_discount for item in cheaper.line_items.data] == shares
    assert [item.amount_total for item in cheaper.line_items.data] == [
        price - share for price, share in zip((1000, 1000, 999), shares, strict=True)
    ]
    assert cheaper.discounts[0].promotion_code.id == code.id
    assert cheaper.discounts[0].promotion_code.promotion.coupon.id == code.promotion.coupon


def test_the_intent_takes_what_the_discount_left(sandbox, client):
    make_code(client)
    session = open_session(client)
    with pytest.raises(Exception, match="declined"):
        sandbox.stripe.pay(session.id, DECLINED)
    sandbox.stripe.apply_promotion_code(session.id, "SPRING")
    paid = sandbox.stripe.pay(session.id)
    intent = client.v1.payment_intents.retrieve(paid["payment_intent"], {"expand": ["latest_charge"]})
    assert (intent.amount, intent.amount_received, intent.latest_charge.amount) == (3675, 3675, 3675)
    assert client.v1.promotion_codes.list({"code": "SPRING"}).data[0].times_redeemed == 1


def test_a_code_that_gives_everything_leaves_nothing_to_pay(sandbox, client, receiver):
    make_code(client, percent_off=100)
    session = open_session(client)
    assert sandbox.stripe.apply_promotion_code(session.id, "SPRING")["payment_status"] == "no_payment_required"
    sandbox.stripe.pay(session.id)
    done = client.v1.checkout.sessions.retrieve(session.id)
    assert (done.status, done.payment_status, done.amount_total) == ("complete", "no_payment_required", 0)
    assert (done.payment_intent, done.amount_subtotal) == (None, 4900)
    receiver.wait_for(1)
    assert receiver.types() == ["checkout.session.completed"]


def test_a_code_can_be_taken_back(sandbox, client):
    make_code(client, percent_off=100)
    session = open_session(client)
    sandbox.stripe.apply_promotion_code(session.id, "SPRING")
    plain = sandbox.stripe.apply_promotion_code(session.id, "")
    assert (plain["amount_total"], plain["discounts"], plain["payment_status"]) == (4900, [], "unpaid")


def test_a_session_can_be_made_with_a_discount(client):
    coupon = client.v1.coupons.create({"id": "HALF", "percent_off": 50})
    session = make_session(client, discounts=[{"coupon": coupon.id}])
    assert (session.amount_total, session.discounts[0].coupon) == (2450, "HALF")
    code = make_code(client)
    assert make_session(client, discounts=[{"promotion_code": code.id}]).amount_total == 3675
    for overrides in (
        {"discounts": [{"coupon": "HALF"}], "allow_promotion_codes": True},
        {"discounts": [{"coupon": "HALF"}, {"promotion_code": code.id}]},
        {"discounts": [{"promotion_code": "promo_nobody"}]},
    ):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            make_session(client, **overrides)
        assert caught.value.param.startswith("discounts")


@pytest.mark.parametrize(
    ("restrictions", "coupon"),
    [
        (None, {"amount_off": 500, "currency": "eur"}),
        (None, {"amount_off": 4890, "currency": "usd"}),
        ({"minimum_amount": 5000, "minimum_amount_currency": "usd"}, {"percent_off": 10}),
        ({"first_time_transaction": True}, {"percent_off": 10}),
    ],
)
def test_a_code_that_does_not_fit_changes_nothing(sandbox, client, restrictions, coupon):
    make_code(client, restrictions=restrictions, **coupon)
    session = open_session(client)
    for code in ("SPRING", "AUTUMN"):
        with pytest.raises(Exception, match=r"code|at least"):
            sandbox.stripe.apply_promotion_code(session.id, code)
    assert client.v1.checkout.sessions.retrieve(session.id).amount_total == 4900
    with pytest.raises(Exception, match="takes no promotion codes"):
        sandbox.stripe.apply_promotion_code(make_session(client).id, "SPRING")


def test_codes_and_coupons_end(sandbox, client):
    once = client.v1.coupons.create({"percent_off": 10, "max_redemptions": 1})
    code = client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": once.id}, "code": "ONCE"})
    session = open_session(client)
    sandbox.stripe.apply_promotion_code(session.id, "ONCE")
    sandbox.stripe.pay(session.id)
    assert client.v1.coupons.retrieve(once.id).valid is False
    later = open_session(client)
    with pytest.raises(Exception, match="invalid"):
        sandbox.stripe.apply_promotion_code(later.id, "ONCE")
    client.v1.promotion_codes.update(code.id, {"active": False})
    assert client.v1.promotion_codes.list({"active": True}).data == []
    short = client.v1.coupons.create({"percent_off": 10, "redeem_by": sandbox.stripe.settings.now() + 60})
    sandbox.stripe.advance(61)
    assert client.v1.coupons.retrieve(short.id).valid is False


@pytest.mark.parametrize(
    "params",
    [{}, {"percent_off": 101}, {"percent_off": 10, "amount_off": 5}, {"amount_off": 5}, {"amount_off": 0}],
)
def test_coupons_that_make_no_sense_are_refused(client, params):
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.coupons.create(params)


def test_an_active_code_leads_to_one_coupon(client):
    code = make_code(client)
    with pytest.raises(stripe.InvalidRequestError, match="already exists"):
        make_code(client, code="spring")
    with pytest.raises(stripe.InvalidRequestError, match="No such coupon"):
        client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": "none"}})
    assert [found.id for found in client.v1.promotion_codes.list({"coupon": code.promotion.coupon}).data] == [code.id]
    assert len(client.v1.coupons.list().data) == 2


def test_a_code_is_typed_into_the_page(sandbox, client):
    make_code(client)
    session = open_session(client)
    assert 'name="promotion_code"' in requests.get(session.url).text
    assert 'name="promotion_code"' not in requests.get(make_session(client).url).text
    wrong = requests.post(session.url, data={"promotion_code": "AUTUMN"})
    assert wrong.status_code == 402
    assert "This code is invalid." in wrong.text
    page = requests.post(session.url, data={"promotion_code": "SPRING"}).text
    assert re.search(r'id="discount".*\$12\.25', page)
    assert re.search(r'id="total">\$36\.75', page)
    control = f"{sandbox.stripe_url}/_control/sessions/{session.id}/promotion_code"
    assert requests.post(control, json={"code": ""}).json()["amount_total"] == 4900


def test_shares_add_up_to_what_is_spread():
    assert spread(100, [1, 1, 1]) == [34, 33, 33]
    assert spread(0, [5, 5]) == [0, 0]
    assert spread(0, [0]) == [0]
