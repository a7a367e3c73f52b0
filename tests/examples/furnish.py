"""Makes businesses, as many as asked for, each with two API tokens: the script's and one for what people do; prints them."""

import secrets
import sys

import django
from django.conf import settings

# Hashing a password well takes a quarter of a second, for every owner.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
django.setup()

from accounts.actor import Actor  # noqa: E402
from accounts.models import Token  # noqa: E402
from accounts.policy import SCOPES  # noqa: E402
from tests.factories import UserFactory, make_business  # noqa: E402

for _ in range(int(sys.argv[1])):
    slug = f"examples-{secrets.token_hex(4)}"
    owner = UserFactory(email=f"{slug}@example.test")
    business = make_business(slug=slug, owner=owner)
    make = {"scopes": list(SCOPES), "maker": owner, "by": Actor.system(business)}
    tokens = [Token.create(business, name=name, **make)[1] for name in ("CRM", "People")]
    print(*tokens)
