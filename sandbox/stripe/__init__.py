"""A stand-in for Stripe that the real SDK talks to over HTTP, with hosted checkout pages and signed webhooks.

The SDK puts its own paths behind whatever base address it is given, a path prefix included:

    stripe.StripeClient(key, base_addresses={"api": sandbox.stripe_url})      # http://127.0.0.1:PORT/stripe

Requests are read with the parameter types of the installed SDK; answers are checked against its resource types before
they leave. Behaviour is taken from Stripe's documentation; it has not been compared with Stripe's own test mode.
"""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import flask

from sandbox.context import SandboxContext
from sandbox.stripe.api import create_api, create_api_of_thin_events
from sandbox.stripe.control import create_control
from sandbox.stripe.pages import create_pages
from sandbox.stripe.stand_in import StripeSandbox

__all__ = ["StripeSandbox", "create_blueprint", "served_at_root"]


def create_blueprint(context: SandboxContext, sandbox: StripeSandbox | None = None) -> flask.Blueprint:
    """Everything under `/stripe`: the API, the hosted pages and the control addresses of one stand-in."""
    sandbox = sandbox or StripeSandbox(context)
    blueprint = flask.Blueprint("stripe", __name__)
    blueprint.register_blueprint(create_api(sandbox), url_prefix="/v1")
    blueprint.register_blueprint(create_api_of_thin_events(sandbox), url_prefix="/v2")
    blueprint.register_blueprint(create_pages(sandbox))
    blueprint.register_blueprint(create_control(sandbox), url_prefix="/_control")
    return blueprint


def served_at_root(application: WSGIApplication) -> WSGIApplication:
    """The application with Stripe's API under `/v1` too: Stripe's command line drops the path of its `--api-base`."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith("/v1/"):
            environ["PATH_INFO"] = f"/stripe{environ['PATH_INFO']}"
        return application(environ, start_response)

    return serve
