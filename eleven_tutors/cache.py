import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


def _forgiving(method: Callable[..., Any], instead: Any) -> Callable[..., Any]:
    @wraps(method)
    def forgiving(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except RedisError as error:
            logger.warning("The cache did not answer: %s", type(error).__name__)
            return instead

    return forgiving


class ForgivingRedisCache(RedisCache):
    """Redis that only speeds things up: while it does not answer, nothing is found and nothing is kept.

    What must hold without it is counted in the database (log-ins and mails for each address).
    """

    add = _forgiving(RedisCache.add, instead=False)
    set = _forgiving(RedisCache.set, instead=None)
    touch = _forgiving(RedisCache.touch, instead=False)
    delete = _forgiving(RedisCache.delete, instead=False)
    has_key = _forgiving(RedisCache.has_key, instead=False)
    get_many = _forgiving(RedisCache.get_many, instead={})
    set_many = _forgiving(RedisCache.set_many, instead=[])
    delete_many = _forgiving(RedisCache.delete_many, instead=None)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return _forgiving(super().get, instead=default)(key, default, version)
