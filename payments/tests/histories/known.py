"""Histories that were hard to get right, or that chance rarely draws."""

from payments.tests.histories.steps import Do, Fate, History, Step

LOST = (Fate.LOST,)
_BY_DEFAULT: dict[str, tuple[Step, ...]] = {
    "an answer is held up while the dispute is won": (
        Step(Do.BUY),
        Step(Do.DISPUTE, delivery_pause=1, waits=False),
        Step(Do.DISPUTE_MOVES, waits=False),
        Step(Do.UNPUBLISH),
    ),
    "a page costs nothing with its code, and staff has granted the course": (
        Step(Do.CHECKOUT),
        Step(Do.STAFF_GRANT),
        Step(Do.PROMOTION, course=1),
        Step(Do.PAY),
    ),
    "nobody tells of a page that ran out": (Step(Do.CHECKOUT), Step(Do.CLOSE_PAGE, fates=LOST)),
    "nobody tells of a refund": (Step(Do.BUY), Step(Do.DASHBOARD_REFUND, fates=LOST)),
    "nobody tells of a dispute": (Step(Do.BUY), Step(Do.DISPUTE, fates=LOST)),
    "the answer to a refund is lost, and so is what Stripe tells of it": (
        Step(Do.BUY),
        Step(Do.REFUND_PART, answer_lost=True, pick=1, fates=LOST),
    ),
    "a refund is asked for while Stripe does not answer": (
        Step(Do.BUY),
        Step(Do.REFUND, answer_lost=True, pick=3),
    ),
    "a page is paid with half the price off, then refunded and disputed": (
        Step(Do.CHECKOUT),
        Step(Do.PROMOTION),
        Step(Do.PAY),
        Step(Do.REFUND_PART),
        Step(Do.DISPUTE),
    ),
    "a page costs nothing with its code": (
        Step(Do.CHECKOUT),
        Step(Do.PROMOTION, course=1),
        Step(Do.PAY),
        Step(Do.REFUND),
    ),
    "a refund fails, then another part is given back": (
        Step(Do.BUY),
        Step(Do.DASHBOARD_REFUND_PART),
        Step(Do.REFUND_FAILS),
        Step(Do.DASHBOARD_REFUND_PART),
    ),
    "the course is bought again while the first payment is disputed, which is won": (
        Step(Do.BUY),
        Step(Do.DISPUTE),
        Step(Do.BUY),
        Step(Do.DISPUTE_MOVES),
    ),
    "the page of a lost answer is paid beside the page that took its place": (
        Step(Do.CHECKOUT, answer_lost=True, pick=1),
        Step(Do.NEW_EMAIL),
        Step(Do.CHECKOUT),
        Step(Do.PAY),
        Step(Do.PAY),
    ),
    "both pages of one order are paid, and one is refunded": (
        Step(Do.CHECKOUT, answer_lost=True, pick=1),
        Step(Do.NEW_EMAIL),
        Step(Do.CHECKOUT),
        Step(Do.PAY, fates=LOST),
        Step(Do.PAY),
        Step(Do.DASHBOARD_REFUND),
    ),
    "one page of an order is paid and its item refunded, then the other page is paid": (
        Step(Do.CHECKOUT, answer_lost=True, pick=1),
        Step(Do.NEW_EMAIL),
        Step(Do.CHECKOUT),
        Step(Do.PAY),
        Step(Do.REFUND_ITEM),
        Step(Do.PAY),
    ),
    "a lost dispute is appealed and won": (
        Step(Do.BUY),
        Step(Do.DISPUTE_LOST),
        Step(Do.DISPUTE_MOVES),
        Step(Do.DISPUTE_MOVES),
    ),
    "an item is refunded, then the payment is disputed and won": (
        Step(Do.CHECKOUT_CART),
        Step(Do.PAY),
        Step(Do.REFUND_ITEM),
        Step(Do.DISPUTE),
        Step(Do.DISPUTE_MOVES),
    ),
    "staff grants what is being paid, and the bank debit comes": (
        Step(Do.CHECKOUT),
        Step(Do.DEBIT),
        Step(Do.STAFF_GRANT),
        Step(Do.DEBIT_COMES),
    ),
    "the account is closed before the bank debit comes": (
        Step(Do.CHECKOUT),
        Step(Do.DEBIT),
        Step(Do.CLOSE_ACCOUNT),
        Step(Do.DEBIT_COMES),
        Step(Do.REFUND),
    ),
    "two refunds give all back, then the first fails": (
        Step(Do.BUY),
        Step(Do.DASHBOARD_REFUND_PART),
        Step(Do.DASHBOARD_REFUND),
        Step(Do.REFUND_FAILS),
    ),
    "two refunds give all back, the first fails, and nobody tells": (
        Step(Do.BUY, fates=LOST),
        Step(Do.DASHBOARD_REFUND_PART, fates=LOST),
        Step(Do.DASHBOARD_REFUND, fates=LOST),
        Step(Do.REFUND_FAILS, fates=LOST),
    ),
}

KNOWN = {name: History(steps=steps) for name, steps in _BY_DEFAULT.items()} | {
    "a delivery dies in the middle of its work, and comes again": History(
        steps=(Step(Do.BUY, delivery_crash=12),), is_lossless=True
    ),
    "two orders of one course are paid and kept, and the first is refunded": History(
        steps=(
            Step(Do.CHECKOUT, answer_lost=True, pick=1),
            Step(Do.NEW_EMAIL),
            Step(Do.NEW_PRICE),
            Step(Do.CHECKOUT),
            Step(Do.PAY),
            Step(Do.PAY),
            Step(Do.DASHBOARD_REFUND),
        ),
        is_lossless=True,
        double_payment="flag",
    ),
}
