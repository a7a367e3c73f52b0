"""Prepares the database, makes as many businesses as asked for, and prints two API tokens of each: the script's, its people's."""

import secrets
import sys

import django
from django.conf import settings

# Hashing a password well takes a quarter of a second, for every owner.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
django.setup()

from django.core.management import call_command  # noqa: E402

from accounts.actor import Actor  # noqa: E402
from accounts.models import Token  # noqa: E402
from accounts.policy import SCOPES  # noqa: E402
from tests.factories import UserFactory, make_business  # noqa: E402

call_command("migrate", verbosity=0)
call_command("createcachetable", verbosity=0)
for _ in range(int(sys.argv[1])):
    slug = f"examples-{secrets.token_hex(4)}"
    owner = UserFactory(email=f"{slug}@example.test")
    business = make_business(slug=slug, owner=owner)
    make = {"scopes": list(SCOPES), "maker": owner, "by": Actor.system(business)}
    tokens = [Token.create(business, name=name, **make)[1] for name in ("CRM", "People")]
    print(*tokens)
