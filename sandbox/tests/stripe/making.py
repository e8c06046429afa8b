KEY = "sk_test_sandbox_11tutors"
SECRET = "whsec_sandbox_tests"
GOOD, DECLINED, POOR, LATER_FAILING = "4242424242424242", "4000000000000002", "4000000000009995", "4000000000000341"


def line_item(**price_data):
    product = {"name": "Introduction to Proofs", "images": ["http://127.0.0.1:9/proofs.png"]}
    return {"quantity": 1, "price_data": {"currency": "usd", "unit_amount": 4900, "product_data": product} | price_data}


def session_params(**overrides):
    params = {
        "mode": "payment",
        "success_url": "http://127.0.0.1:9/paid?course-slug=proofs&session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://127.0.0.1:9/back",
        "customer_email": "buyer@example.test",
        "client_reference_id": "order-1",
        "metadata": {"order_id": "order-1"},
        "payment_intent_data": {"metadata": {"order_id": "order-1"}},
        "automatic_tax": {"enabled": False},
        "line_items": [line_item()],
    }
    return {name: value for name, value in (params | overrides).items() if value is not None}


def make_session(client, **overrides):
    return client.v1.checkout.sessions.create(session_params(**overrides))
