"""Entry points of background work. With Celery installed they are its tasks, without it plain functions."""
