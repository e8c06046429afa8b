from typing import ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

INSTRUCTORS_GROUP = "Instructors"


class AccountManager(UserManager["User"]):
    def with_email(self, email: str) -> models.QuerySet["User"]:
        """The account of this address whatever its case, by the index that keeps addresses unique."""
        return self.filter(Exact(Lower("email"), email.lower()))

    def with_username(self, username: str) -> models.QuerySet["User"]:
        return self.filter(Exact(Lower("username"), username.lower()))

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.with_email(username or "").get()


class User(AbstractUser):
    """An account. It logs in by e-mail, which is unique whatever its case; the username is a public handle."""

    email = models.EmailField("e-mail address")
    email_verified_at = models.DateTimeField(null=True, blank=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["username"]

    objects: ClassVar[AccountManager] = AccountManager()

    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_unique_ci"),
            models.UniqueConstraint(Lower("username"), name="user_username_unique_ci"),
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        return self.get_full_name() or self.username

    @property
    def is_email_verified(self) -> bool:
        return self.email_verified_at is not None

    @property
    def is_instructor(self) -> bool:
        return self.groups.filter(name=INSTRUCTORS_GROUP).exists()


class HeldUsernameQuerySet(models.QuerySet["HeldUsername"]):
    def with_username(self, username: str) -> "HeldUsernameQuerySet":
        return self.filter(Exact(Lower("username"), username.lower()))


class HeldUsername(models.Model):
    """A username asked for in a registration whose address was known already.

    It counts as taken from then on, exactly as if the account had been made: otherwise asking for the same username
    once more would tell whether the address is registered. The account that holds it may take it.
    """

    username = models.CharField(max_length=150)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="held_usernames")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = HeldUsernameQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("username"), name="held_username_unique_ci")]

    def __str__(self) -> str:
        return self.username


class AddressAttempts(models.Model):
    """How often one e-mail address was tried in the current window of one rate; the address is kept as a keyed hash."""

    rate = models.CharField(max_length=32)
    address_hash = models.CharField(max_length=64)
    started_at = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "address attempts"
        constraints = [models.UniqueConstraint(fields=["rate", "address_hash"], name="attempts_once_per_rate_address")]

    def __str__(self) -> str:
        return f"{self.rate}: {self.count}"
