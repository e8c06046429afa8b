"""System checks of our own host; those of one alias are found by its provider's `check`."""
