"""What allauth asks us: who a new person is, where it may send people, how its mails leave."""

import logging
from urllib.parse import urljoin, urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as current
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.ratelimit import respond_429
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.models import User

log = logging.getLogger(__name__)

NOT_SENT = "We could not send you a mail just now. Try again later, or ask whoever runs this Phasewise."


class AccountAdapter(DefaultAccountAdapter):
    """Keeps the person's name, sends nobody off to other sites, and stays calm when the mail server is away."""

    def save_user(self, request, user, form, commit=True):
        """Fill in a new person from the form, the name included."""
        user.name = form.cleaned_data["name"]
        return super().save_user(request, user, form, commit=commit)

    def is_safe_url(self, url) -> bool:
        """Answer whether a `next` stays on the very host that was asked."""
        request = current.request
        return url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())

    def pre_authenticate(self, request, **credentials):
        """Let a password be tried, or answer 429 when there were too many wrong ones."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError as error:
            raise ImmediateHttpResponse(respond_429(request)) from error

    def confirm_email(self, request, email_address):
        """Take a confirmed address over, unless another account signs in with it: then nothing is changed."""
        others = User.objects.filter(email__iexact=email_address.email).exclude(pk=email_address.user_id)
        if others.exists():
            told = {"email": email_address.email}
            self.add_message(request, messages.ERROR, "account/messages/email_confirmation_failed.txt", told)
            return False
        return super().confirm_email(request, email_address)

    def send_mail(self, template_prefix, email, context):
        """Send a mail with links to BASE_URL where that is set; a mail server that is away stops nobody's request."""
        if settings.BASE_URL:
            links = {name: urlsplit(value).path for name, value in context.items() if name.endswith("_url")}
            context = context | {name: urljoin(settings.BASE_URL, path) for name, path in links.items()}
        try:
            super().send_mail(template_prefix, email, context)
        except OSError:
            log.exception("The mail %s was not sent", template_prefix)
            self.add_message(current.request, messages.WARNING, message=NOT_SENT)
