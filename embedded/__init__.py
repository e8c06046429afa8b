"""The whole platform on one machine with nothing configured: what `make run` starts."""
