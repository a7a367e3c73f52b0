"""What becomes of a form that somebody sends: it is kept, then a contact and a card are made of it.

The answers are kept first and whatever happens: a phase that is full, or asks for more than the form does, keeps
nobody's enquiry from arriving. What could not be made says why, and can be made later.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.events import record
from accounts.models import Business
from accounts.templatetags.house import money
from accounts.verbs import refusal, verb
from boards.models import Attachment, Card, Comment, Content, Field, IntakeForm, Phase, Submission, SubmittedFile
from boards.models.attachment import MEGABYTE
from boards.models.intake import DAY_MEGABYTES
from contacts.models import Contact
from contacts.models.contact import digits_of, folded

LONGEST_NOTE = 10_000  # of a comment
FACTS = ("given_name", "family_name", "company", "job_title")
PARTS = {"email": "emails", "phone": "phones", "address": "addresses"}


@verb("form.submit")
def submit(form: IntakeForm, key: str, sent: dict, *, doubt: str = "", by: Actor) -> Submission:
    """Keep what somebody sent, {Question: value}, and make a contact and a card of it. The same key again is no news.

    doubt: why it looks like nobody's honest enquiry; then it is only kept. Raises ValidationError for files that are
    too large or have no room, for a form that is closed, and for nothing else: see the module.
    """
    form = IntakeForm.objects.select_for_update(no_key=True).get(pk=form.pk)
    known = form.submissions.filter(key=key).first()
    if known:
        return known
    if not form.is_open:
        raise ValidationError("This form is closed.", code="form_closed")
    submission = Submission(business_id=form.business_id, form=form, key=key, reason=doubt)
    submission.answers = [_answer(question, value) for question, value in sent.items()]
    submission.save(force_insert=True)
    _keep_files(submission, sent)
    if doubt:
        told = {"form": _form_as_told(submission), "submission": str(submission.pk)}
        record("form.doubted", submission, by, workflow=str(form.workflow_id), **told)
    else:
        _work_on(submission, by)
        _tell(submission, by)
    return submission


@verb("submission.make_card")
def make_card(submission: Submission, *, by: Actor) -> Submission:
    """Make the card that could not be made when it was sent; raises ValidationError when it still cannot be."""
    submission = Submission.objects.select_for_update(no_key=True, of=("self",)).get(pk=submission.pk)
    if submission.card_id:
        return submission
    _work_on(submission, by)
    if submission.reason:
        raise ValidationError(submission.reason, code="no_card")
    submission.card.record("submission.card_made", by, form=_form_as_told(submission), who=submission.who)
    return submission


# Keeping ----------------------------------------------------------------------------------------------


def _answer(question, value) -> dict:
    """Return an answer as it is kept: also when the question is changed or taken out later."""
    if isinstance(value, (dt.date, Decimal)):
        value = str(value)
    if question.kind == "file":
        value = [file.name for file in value or ()]
    return {
        "label": question.label,
        "kind": question.kind,
        "target": question.target,
        "field": str(question.field_id) if question.field_id else None,
        "value": value,
    }


def _keep_files(submission, sent) -> None:
    files = [file for question, value in sent.items() if question.kind == "file" for file in value or ()]
    if not files:
        return
    today = Content.objects.filter(submitted__submission__form=submission.form_id)
    today = today.filter(created_at__gt=timezone.now() - dt.timedelta(days=1)).total()
    if today + sum(file.size for file in files) > DAY_MEGABYTES * MEGABYTE:
        raise refusal("files", "This form takes no more files today.", "no_room")
    kept = Content.keep_all(submission.business_id, files)
    SubmittedFile.objects.bulk_create(
        SubmittedFile(
            business_id=submission.business_id, submission=submission, name=name, content=content, position=place
        )
        for place, (name, content) in enumerate(kept)
    )


def _tell(submission, by: Actor) -> None:
    """Record that it was sent: about its card where there is one, so that rules have something to act on."""
    told = {"form": _form_as_told(submission), "submission": str(submission.pk), "who": submission.who}
    if submission.card:
        submission.card.record("form.submitted", by, **told)
    else:
        record("form.submitted", submission, by, workflow=str(submission.form.workflow_id), number=None, **told)


def _form_as_told(submission) -> dict:
    return {"id": str(submission.form_id), "name": submission.form.title}


# Making -----------------------------------------------------------------------------------------------


def _work_on(submission, by: Actor) -> None:
    """Make contact and card, both or neither; where they cannot be made, note why."""
    try:
        with transaction.atomic():
            phase = submission.form.first_phase
            # Before the business, as everybody does who makes a card: so two never wait for each other.
            Phase.lock(phase.workflow_id, phase.pk)
            submission.contact, notes = _contact(submission, by)
            submission.card = _card(submission, phase, notes, by)
            submission.reason = ""
    except ValidationError as error:
        submission.contact = submission.card = None
        submission.reason = " ".join(error.messages)[:400]
    submission.save(update_fields=["contact", "card", "reason"])


def _contact(submission, by: Actor) -> tuple[Contact | None, list[str]]:
    """Return the sender: who has that e-mail already, else somebody new; and what was given that we know otherwise.

    What we know is never overwritten, for anybody can write anybody's address into a public form.
    """
    facts = submission.facts
    given, _, family = facts["name"].rpartition(" ") if "name" in facts else ("", "", "")
    facts |= {"given_name": given or family, "family_name": family if given else ""} if given or family else {}
    fields = {key: facts[key] for key in FACTS if facts.get(key)}
    parts = {name: [(facts[key], "")] for key, name in PARTS.items() if facts.get(key)}
    if not fields and not {"emails", "phones"} & set(parts):
        return None, []
    # Two that come at once must not make two contacts.
    Business.objects.select_for_update(no_key=True).get(pk=submission.business_id)
    contacts = Contact.objects.filter(business=submission.business_id).live().order_by("created_at", "id")
    known = contacts.sharing([facts["email"]], []).first() if facts.get("email") else None
    if known is None:
        source = _source(submission.form)
        return Contact.create(submission.business, source=source, **fields, **parts, by=by), []
    has = {key: getattr(known, key) for key in FACTS} | known.parts()
    nameless = not known.given_name and not known.family_name
    lacks = {key: value for key, value in fields.items() if not has[key] and (nameless or not key.endswith("_name"))}
    lacks |= {name: given for name, given in parts.items() if not has[name]}
    if lacks:
        known.update(**lacks, by=by)
    return known, _differences(known, fields | parts, lacks)


def _differences(contact, given: dict, taken: dict) -> list[str]:
    """Return in words what was given of a contact that stands otherwise with us."""
    lines = []
    for key, value in given.items():
        if key in taken or key == "emails":
            continue
        said = value[0][0] if isinstance(value, list) else value
        known = [str(one) for one in getattr(contact, key).all()] if key in PARTS.values() else [getattr(contact, key)]
        same = digits_of if key == "phones" else folded
        if same(said) not in map(same, known):
            word = key.replace("_", " ").removesuffix("s") if key != "addresses" else "address"
            lines.append(f"Another {word} than we have of {contact}: {said}")
    return lines


def _card(submission, phase, notes: list[str], by: Actor) -> Card:
    facts, form = submission.facts, submission.form
    fields, lines = _fields(submission)
    due = facts.get("due_date")
    told = [answer for answer in submission.answers if answer["target"] == "description"]
    describe = _words if len(told) == 1 else _line  # one answer needs no question beside it
    told = [describe(submission, answer) for answer in told]
    card = Card.create(
        phase,
        name=facts.get("card_name")
        or form.called(submission.who if submission.contact else "", facts.get("company", "")),
        description="\n\n".join(filter(None, told))[:20_000],
        contact=submission.contact,
        due_date=dt.date.fromisoformat(due) if due else None,
        value=facts.get("value"),
        source=_source(form),
        custom=fields,
        by=by,
    )
    files = SubmittedFile.objects.filter(submission=submission).select_related("content").defer("content__data")
    if files:
        Attachment.carry(card, [(file.name, file.content) for file in files], by=by)
    lines += [
        line for answer in submission.answers if answer["target"] == "note" if (line := _line(submission, answer))
    ]
    if said := "\n\n".join(lines + notes):
        Comment.write(card, said[:LONGEST_NOTE], by=by)
    return card


def _fields(submission) -> tuple[dict, list[str]]:
    """Return what goes into the workflow's own fields, and as notes what they do not take any more."""
    own = {str(field.pk): field for field in Field.objects.filter(workflow=submission.form.workflow_id)}
    taken, lines = {}, []
    for answer in submission.answers:
        if answer["target"] != "field" or answer["value"] in (None, ""):
            continue
        field = own.get(answer["field"])
        try:
            if field is None:
                raise ValidationError("It was deleted.")
            field.read(answer["value"])
            taken[field] = answer["value"]
        except ValidationError:
            lines.append(_line(submission, answer))
    return taken, lines


def _words(submission, answer) -> str:
    """Return an answer so that it calls nobody by an @."""
    return re.sub(r"(?<!\w)@(?=\w)", "@\u2060", say(answer, submission.business.currency))


def _line(submission, answer) -> str:
    """Return a question with its answer as a paragraph of Markdown; nothing for no answer."""
    said = _words(submission, answer)
    if not said:
        return ""
    label = answer["label"].replace("*", "")
    return f"**{label}**{'\n' if '\n' in said else ' ' if label.endswith(('?', '!', ':')) else ': '}{said}"


def _source(form) -> str:
    return f"Form: {form.title}"[:100]


# Saying -----------------------------------------------------------------------------------------------


def say(answer: dict, currency: str) -> str:
    """Return an answer in words; nothing for no answer."""
    value = answer["value"]
    if value in (None, "", []):
        return ""
    if answer["kind"] == "yes_no":
        return "Yes" if value else "No"
    if answer["kind"] == "money":
        return money(value, currency)
    return ", ".join(value) if isinstance(value, list) else str(value)
