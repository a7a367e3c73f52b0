"""How receivers know that a call comes from us: secrets, Standard Webhooks headers, and the token of the card webhooks."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

from django.utils.crypto import salted_hmac
from standardwebhooks import Webhook as Signer

PREFIX = "whsec_"


def secret_for(*whose) -> str:
    """Derive a secret from the server's key and whose it is: a copy of the database gives no secret away."""
    derived = salted_hmac("automations.signing", " ".join(map(str, whose)), algorithm="sha256").digest()
    return PREFIX + base64.b64encode(derived).decode()


def sign(secrets: list[str], message: str, at: datetime, body: str) -> dict:
    """Return the three headers; of several secrets each signs, so that a receiver may know either."""
    at = at.astimezone(UTC)
    signatures = [Signer(secret).sign(message, at, body) for secret in secrets]
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def token(claims: dict, secret: str) -> str:
    """Return the claims as a JSON Web Token, signed with HMAC-SHA256 under the bytes of the secret."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
    signature = hmac.new(key, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_url_safe(signature)}"


def _part(content: dict) -> str:
    return _url_safe(json.dumps(content, separators=(",", ":")).encode())


def _url_safe(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
