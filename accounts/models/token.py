"""A program's key to one business."""

import hashlib
import secrets
import uuid
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from accounts.actor import Actor
from accounts.events import record
from accounts.models.business import Business, Membership
from accounts.policy import SCOPES
from accounts.statements import Blank, Prepared
from accounts.verbs import verb, writing


class TokenQuerySet(models.QuerySet):
    """Reads tokens."""

    def for_page(self):
        """Return tokens with their makers, and whether these are still members: without their maker they open nothing."""
        makers = Membership.objects.filter(business=models.OuterRef("business"), user=models.OuterRef("maker"))
        return self.select_related("maker").annotate(has_maker=models.Exists(makers))


class Token(models.Model):
    """An API token: name, scopes, and the hash of a secret that was shown once. Works while its maker is a member."""

    PREFIX = "pw_"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80)
    scopes = models.JSONField(default=list)
    hint = models.CharField(max_length=12, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    maker = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = TokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self):
        return self.name

    @classmethod
    @verb("token.create")
    def create(cls, business, *, name: str, scopes: list[str], maker, expires_at=None, by: Actor):
        """Make a token and return (token, secret); the secret cannot be read again.

        Raises ValidationError for an unknown scope, no scope, or an expiry that has passed.
        """
        if not scopes or set(scopes) - set(SCOPES):
            raise ValidationError({"scopes": "Choose at least one scope from the list."})
        if expires_at and expires_at <= timezone.now():
            raise ValidationError({"expires_at": "Choose a day that is still to come."})
        secret = cls.PREFIX + secrets.token_urlsafe(32)
        token = cls(
            business=business,
            name=name.strip(),
            scopes=sorted(set(scopes)),
            hint=secret[:8],
            digest=_digest(secret),
            maker=maker,
            expires_at=expires_at,
        )
        token.full_clean()
        token.save(force_insert=True)
        record("token.created", token, by, name=token.name, scopes=token.scopes)
        return token, secret

    @classmethod
    def authenticate(cls, secret: str) -> tuple["Token", Actor] | None:
        """Return the token of a secret and the actor it stands for, or None when it may not come in."""
        now = timezone.now()
        token = KNOWN.first(digest=_digest(secret))
        if not token or token.revoked_at or (token.expires_at and token.expires_at <= now):
            return None
        maker = MAKER.first(business=token.business_id, user=token.maker_id)
        if not maker:
            return None
        # Written at most once a minute: reading must stay a read.
        if not token.last_used_at or now - token.last_used_at > timedelta(minutes=1):
            with writing():
                cls.objects.filter(pk=token.pk).update(last_used_at=now)
        return token, Actor.token(token, maker)

    @verb("token.revoke")
    def revoke(self, *, by: Actor):
        """Shut the token out at once; doing it again is no news."""
        self.refresh_from_db(from_queryset=Token.objects.select_for_update())
        if self.revoked_at:
            return
        self.revoked_at, self.revoked_by_id = timezone.now(), by.user_id
        self.save(update_fields=["revoked_at", "revoked_by"])
        record("token.revoked", self, by, name=self.name)

    @property
    def says(self) -> list[str]:
        """Return what the token may do, in words."""
        return [SCOPES.get(scope, scope) for scope in self.scopes]

    @property
    def is_live(self) -> bool:
        """Answer whether the token still opens the door."""
        return not self.revoked_at and not (self.expires_at and self.expires_at <= timezone.now())


# Asked at every request of a program.
KNOWN = Prepared(lambda: Token.objects.select_related("business").filter(digest=Blank("digest")))
MAKER = Prepared(
    lambda: Membership.objects.filter(business=Blank("business"), user=Blank("user"), user__is_active=True)
)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
