from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import localtime
from unfold.admin import TabularInline

from courses import money


class ReadOnly:
    """Money is changed by services that ask Stripe, never by a form."""

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class ReadOnlyInline(ReadOnly, TabularInline):
    extra = 0
    can_delete = False
    tab = True


def amount_of(row):
    """The amount of a payment, refund or dispute, for people."""
    return money.display(row.amount_minor, row.currency)


def breakable(text):
    """A long id that a phone may break anywhere."""
    return format_html('<span style="overflow-wrap: anywhere">{}</span>', text) if text else None


def moment(at):
    """A time for people, in UTC as everywhere in the admin."""
    return f"{date_format(localtime(at), 'j M Y H:i')} UTC" if at else "never"


def person(order):
    """The student of an order as `Ada Lovelace <ada@example.org>`."""
    return f"{order.user} <{order.user.email}>"
