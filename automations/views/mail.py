"""Mail templates, with a real card to try them on; and the outbox, where what waits can be stopped."""

from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.answers import done, refused
from accounts.markdown import render as render_markdown
from accounts.policy import allowed, may
from automations import letters
from automations.forms.outside import CardChoice, LetterheadForm, TemplateForm
from automations.models import Delivery, Letterhead, MailTemplate
from automations.views.outgoing import listed

# Templates --------------------------------------------------------------------------------------------


@allowed("template.view")
def templates(request):
    """List the templates, and how mails are signed."""
    return _templates(request)


@require_POST
@allowed("letterhead.update")
def letterhead(request):
    """Change how mails are signed."""
    head = Letterhead.of(request.business)
    form = LetterheadForm(request.POST, letterhead=head)
    if form.goes_through(head.update, by=request.actor):
        return done(request, reverse("mail_templates", args=[request.business.slug]), "Saved.")
    return _templates(request, form, status=422)


@require_POST
@allowed("template.create")
def stock(request):
    """Add the letters to begin with."""
    count = MailTemplate.stock(request.business, by=request.actor)
    said = f"Added {count} templates." if count else "They are all here already."
    return done(request, reverse("mail_templates", args=[request.business.slug]), said)


@allowed("template.create")
def new(request):
    """Make a template; nothing is saved while it is only looked at."""
    form = TemplateForm(request.POST or None)
    is_kept = request.method == "POST" and "preview" not in request.POST
    if is_kept and form.goes_through(MailTemplate.create, request.business, by=request.actor):
        return done(request, _its_page(request, form.made), f"Made {form.made.name}.")
    return _editor(request, form, None)


@allowed("template.view")
def template(request, template):
    """Show a template, and what it says about a card."""
    known = get_object_or_404(request.business.mail_templates, pk=template)
    return _editor(request, TemplateForm(template=known), known)


@require_POST
@allowed("template.update")
def update(request, template):
    """Change a template; nothing is saved while it is only looked at."""
    known = get_object_or_404(request.business.mail_templates, pk=template)
    form = TemplateForm(request.POST, template=known)
    if "preview" not in request.POST and form.goes_through(known.update, by=request.actor):
        return done(request, _its_page(request, known), "Saved.")
    known.refresh_from_db()
    if form.is_stale:
        form.see(known)
    return _editor(request, form, known)


@require_POST
@allowed("template.delete")
def delete(request, template):
    """Delete a template."""
    known = get_object_or_404(request.business.mail_templates, pk=template)
    known.delete_for_good(by=request.actor)
    return done(request, reverse("mail_templates", args=[request.business.slug]), f"Deleted {known.name}.")


@require_POST
@allowed("template.test")
def test(request, template):
    """Send a template, as it is saved, to oneself."""
    known = get_object_or_404(request.business.mail_templates, pk=template)
    card = CardChoice(request.POST, business=request.business).chosen
    try:
        mail = known.send_test(card, request.user.email, by=request.actor)
    except ValidationError as error:
        return refused(request, error, _its_page(request, known))
    return done(request, _its_page(request, known), f"“{mail.subject}” is on its way to {mail.to}.")


def _its_page(request, template) -> str:
    return reverse("mail_template", args=[request.business.slug, template.pk])


def _templates(request, form=None, status=200):
    head = Letterhead.of(request.business)
    told = {
        "templates": request.business.mail_templates.all(),
        "form": form or LetterheadForm(letterhead=head),
        "letterhead": head,
        "may_change": may(request.actor, "template.update"),
    }
    return render(request, "automations/templates.html", told, status=status)


def _editor(request, form, known):
    """Draw the editor with what its text would say about the chosen card."""
    asked = request.POST if "card" in request.POST else request.GET
    cards = CardChoice(asked if "card" in asked else None, business=request.business)
    text = form.data if form.is_bound else form.initial
    subject, body = text.get("subject", ""), text.get("body", "")
    seen, trouble = {}, ""
    try:
        for source in (subject, body):
            letters.check(source)
        facts = letters.facts_of(cards.chosen, request.business)
        seen = {
            "subject": letters.render(subject, facts),
            "text": letters.render(body, facts),
            "html": render_markdown(letters.render(body, facts, marked=True)),
        }
    except ValidationError as error:
        trouble = " ".join(error.messages)
    told = {
        "form": form,
        "template": known,
        "cards": cards,
        "card": cards.chosen,
        "seen": seen,
        "trouble": trouble,
        "letterhead": Letterhead.of(request.business),
        "variables": letters.VARIABLES.items(),
        "filters": letters.FILTERS,
        "may_change": may(request.actor, "template.update"),
    }
    page = "automations/template.html#preview" if request.htmx else "automations/template.html"
    return render(request, page, told, status=409 if form.is_stale else 422 if form.errors else 200)


# The outbox -------------------------------------------------------------------------------------------


@allowed("delivery.view")
def outbox(request):
    """List the mails: what waits, what has left, what was given up."""
    told = listed(request, request.business.deliveries.mails())
    return render(request, "automations/outbox.html", told | _may(request))


@never_cache
@allowed("delivery.view")
def mail(request, mail):
    """Show a mail as it leaves, or has left."""
    known = _mail(request, mail)
    return render(request, "automations/mail.html", {"mail": known, "letter": letters.seen(known.html)} | _may(request))


@require_POST
@allowed("delivery.send_now")
def send_now(request, mail):
    """Let a mail that waits leave at once."""
    return _deed(request, mail, "send_now", "It leaves now.")


@require_POST
@allowed("delivery.stop")
def stop(request, mail):
    """Stop a mail that waits."""
    return _deed(request, mail, "stop", "Stopped. It does not leave.")


@require_POST
@allowed("delivery.resend")
def resend(request, mail):
    """Send a mail once more."""
    return _deed(request, mail, "resend", "It is sent again.")


def _mail(request, pk) -> Delivery:
    return get_object_or_404(request.business.deliveries.mails(), pk=pk)


def _may(request) -> dict:
    return {"may_stop": may(request.actor, "delivery.stop"), "may_resend": may(request.actor, "delivery.resend")}


def _deed(request, pk, deed: str, said: str):
    """Do something about a mail and go back to where it was asked: its page, or the list."""
    known = _mail(request, pk)
    place = ("outbox",) if "list" in request.POST else ("mail", known.pk)
    to = reverse(place[0], args=[request.business.slug, *place[1:]])
    try:
        getattr(known, deed)(by=request.actor)
    except ValidationError as error:
        return refused(request, error, to)
    return done(request, to, said)
