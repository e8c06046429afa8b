import uuid

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models


class People(BaseUserManager):
    def create_user(self, email, password=None, **values):
        person = self.model(email=self.normalize_email(email), **values)
        person.set_password(password)
        person.save()
        return person

    def create_superuser(self, email, password=None, **values):
        return self.create_user(email, password, is_staff=True, is_superuser=True, **values)


class Person(AbstractBaseUser, PermissionsMixin):
    """Somebody known by an e-mail address and nothing else; no user name, no number."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.EmailField(unique=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)

    objects = People()

    USERNAME_FIELD = "email"

    def __str__(self) -> str:
        return self.email
