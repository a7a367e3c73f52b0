"""A person who can sign in."""

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone


class UserManager(BaseUserManager):
    """Makes people; the e-mail address is the name they sign in with."""

    def create_user(self, email, password=None, **fields):
        """Make and return a person; without a password they can only come in by a reset link."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, email, password=None, **fields):
        """Make and return a platform administrator."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person: one e-mail address, one password, any number of businesses."""

    email = models.EmailField("e-mail", unique=True)
    name = models.CharField(max_length=120, blank=True)
    is_staff = models.BooleanField("platform administrator", default=False)
    is_active = models.BooleanField("may sign in", default=True)
    date_joined = models.DateTimeField(default=timezone.now)

    objects = UserManager()
    USERNAME_FIELD = EMAIL_FIELD = "email"

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_once", violation_error_message="Already in use.")
        ]

    def __str__(self):
        return self.name or self.email

    def rename(self, name: str) -> None:
        """Call the person something else; raises ValidationError for no name or too long a one.

        No business's verb: the person is in several, and each one's ledger keeps the names as they were.
        """
        self.name = name.strip()
        self.clean_fields(exclude=["email", "password"])
        self.save(update_fields=["name"])

    def get_short_name(self):
        return str(self).split(" ")[0]


def display_name(user) -> str:
    """Return the name that allauth's mails use."""
    return str(user)
