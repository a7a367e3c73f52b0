"""Mails to people: written from templates/mail, sent by the worker."""

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse


def send_invitation(invitation, site: str) -> None:
    """Mail the link of an invitation; site is the address under which people reach us."""
    link = site.rstrip("/") + reverse("invitation", args=[invitation.secret])
    told = {"invitation": invitation, "business": invitation.business, "link": link}
    subject = f"{invitation.invited_by or invitation.business} invites you to {invitation.business}"
    text = render_to_string("mail/invitation.txt", told)
    mail = EmailMultiAlternatives(" ".join(subject.split()), text, to=[invitation.email])
    mail.attach_alternative(render_to_string("mail/invitation.html", told), "text/html")
    mail.send()
