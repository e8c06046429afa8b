import logging
from functools import partial

from django.db import transaction

logger = logging.getLogger(__name__)


def alert(words: str, *values: object) -> None:
    """Tell the operators, once the transaction is committed: of what is rolled back, a rehearsal too, nothing is told.

    `words` and `values` are what `logging` takes.
    """
    transaction.on_commit(partial(logger.error, words, *values))
