"""Who opens the pages, and an order that was really paid at the sandbox."""

from django.contrib.auth.models import Group
from django.test import Client

from payments.services.sync import sync_checkout
from payments.tests.buying import open_checkout
from users.tests.factories import make_user


def browser_of_admin(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def operator() -> Client:
    return browser_of_admin(make_user(is_staff=True, is_superuser=True, first_name="Grace", last_name="Hopper"))


def staff_member():
    user = make_user(is_staff=True)
    user.groups.add(Group.objects.get(name="Staff"))
    return user


def instructor():
    user = make_user(is_staff=True)
    user.groups.add(Group.objects.get(name="Instructors"))
    return user


def paid_order(sandbox, **who):
    """An order of 4900 cents, paid with a card; gives it with its payment."""
    checkout = open_checkout(**who)
    sandbox.stripe.pay(checkout.session_id)
    order = sync_checkout(checkout.session_id)
    return order, order.payments.get()


def told(answer) -> str:
    """The page as text for people: what was said after a redirect included."""
    return " ".join(answer.content.decode().split())


def confirm(client: Client, address: str, **sent):
    """Answer the page that asks with yes; gives the page after it."""
    return client.post(address, {"confirmed": "yes", **sent}, follow=True)
