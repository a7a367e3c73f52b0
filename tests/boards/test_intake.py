"""Intake forms: what they may ask, and what becomes of what is sent: kept whatever happens, once, and never over what we know."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.base import ContentFile

from accounts.actor import Actor
from accounts.models import Event
from boards.intake import make_card as make_it_a_card
from boards.intake import submit
from boards.models import Card, Content, Field, IntakeForm, Submission
from boards.models import intake as limits
from contacts.models import Contact
from tests.at_once import at_once, bugs
from tests.factories import actor, make_card, make_contact, make_workflow

pytestmark = pytest.mark.django_db


@pytest.fixture
def form(workflow, manager):
    """A form that asks one of everything, open to the public."""
    wood = Field.create(workflow, name="Wood", kind="choice", choices=["Oak", "Ash"], by=actor(manager))
    asked = [
        {"label": "Your name", "target": "name", "required": True},
        {"label": "Email", "kind": "email"},
        {"label": "Phone", "kind": "phone"},
        {"label": "What do you need?", "kind": "one", "choices": ["Kitchen", "Table"], "target": "card_name"},
        {"label": "Which wood?", "kind": "list", "choices": ["Oak", "Ash"], "target": "field", "field": wood},
        {"label": "Budget", "kind": "money"},
        {"label": "By when?", "kind": "date"},
        {"label": "Have we met?", "kind": "yes_no"},
        {"label": "Extras", "kind": "many", "choices": ["Delivery", "Fitting"]},
        {"label": "Anything else?", "kind": "long_text", "target": "description"},
        {"label": "Photos", "kind": "file"},
    ]
    form = IntakeForm.create(workflow, title="Kitchen enquiry", questions=asked, by=actor(manager))
    form.open(by=actor(manager))
    return form


ALL = {
    "Your name": "Nadia Osei",
    "Email": "Nadia@Osei.test",
    "Phone": "+31 6 5550 0112",
    "What do you need?": "Kitchen",
    "Which wood?": "Oak",
    "Budget": 500_000,
    "By when?": dt.date(2027, 4, 1),
    "Have we met?": True,
    "Extras": ["Delivery", "Fitting"],
    "Anything else?": "Two cats.",
}


def send(form, key="k1", doubt="", /, **answers):
    """Send a form as its page does; answers are named by the beginning of their question."""
    sent = {}
    for question in form.questions.all():
        named = next((value for name, value in answers.items() if question.label.startswith(name)), None)
        sent[question] = named
    by = Actor("form", str(form.pk), form.title, form.business_id)
    return submit(form, key, sent, doubt=doubt, by=by)


def send_all(form, doubt="", **changes):
    return send(form, "k1", doubt, **(ALL | changes))


def change(form, by, asked, /, **changes):
    form.change_question(form.questions.get(label=asked), **changes, by=actor(by))


# Sending ----------------------------------------------------------------------------------------------


def test_what_is_sent_becomes_a_contact_and_a_card_in_the_first_phase(form, workflow):
    card = send_all(form).card
    assert (card.name, card.phase, card.source) == ("Kitchen", workflow.phases.first(), "Form: Kitchen enquiry")
    assert (card.value, card.due_date) == (500_000, dt.date(2027, 4, 1))
    assert card.description == "Two cats."
    assert list(card.custom.values()) == ["Oak"]
    contact = card.contact
    assert (contact.given_name, contact.family_name, contact.email, contact.phone) == (
        "Nadia",
        "Osei",
        "nadia@osei.test",
        "+31 6 5550 0112",
    )
    said = card.comments.get()
    assert said.text == "**Have we met?** Yes\n\n**Extras**: Delivery, Fitting"
    assert said.author_name == "Kitchen enquiry"


def test_the_ledger_says_who_sent_it_and_that_the_form_made_the_card(form):
    card = send_all(form).card
    told = {event.name: event for event in Event.objects.about(card)}
    assert str(told["form.submitted"].sentence) == "was sent in by Nadia Osei"
    assert {(event.actor_kind, event.actor_name) for event in told.values()} == {("form", "Kitchen enquiry")}
    assert told["form.submitted"].details["form"]["name"] == "Kitchen enquiry"


def test_the_answers_are_kept_as_they_were(form, manager):
    submission = send_all(form)
    change(form, manager, "Budget", label="Rough budget", target="note")
    form.remove_question(form.questions.get(label="Extras"), by=actor(manager))
    kept = {answer["label"]: answer["value"] for answer in Submission.objects.get(pk=submission.pk).answers}
    assert (kept["Budget"], kept["Extras"], kept["By when?"]) == (500_000, ["Delivery", "Fitting"], "2027-04-01")


def test_the_same_page_sent_twice_makes_one_card(form):
    assert send_all(form) == send_all(form)
    assert Card.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_page_sent_twice_at_once_makes_one_card(form):
    assert not bugs(at_once(lambda: send_all(form), lambda: send_all(form)))
    assert (Card.objects.count(), Contact.objects.count(), Submission.objects.count()) == (1, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_two_pages_of_one_person_at_once_make_one_contact(form):
    assert not bugs(at_once(lambda: send(form, "k1", **ALL), lambda: send(form, "k2", **ALL)))
    assert (Card.objects.count(), Contact.objects.count()) == (2, 1)


def test_files_lie_on_the_card_and_share_their_bytes_with_what_was_sent(form, manager):
    submission = send_all(form, Photos=[ContentFile(b"a photo", "sill.jpg"), ContentFile(b"another", "door.jpg")])
    assert [file.name for file in submission.card.attachments.all()] == ["sill.jpg", "door.jpg"]
    assert submission.files.count() == Content.objects.count() == 2
    submission.delete_for_good(by=actor(manager))
    assert Content.objects.count() == 2
    for file in submission.card.attachments.all():
        file.remove(by=actor(manager))
    assert Content.objects.count() == 0


def test_files_that_are_too_much_are_refused_before_anything_is_kept(form, settings, monkeypatch):
    monkeypatch.setattr("boards.intake.DAY_MEGABYTES", 0)
    with pytest.raises(ValidationError, match="no more files today"):
        send_all(form, Photos=[ContentFile(b"a photo", "sill.jpg")])
    settings.FILE_MEGABYTES = 0
    with pytest.raises(ValidationError):
        send_all(form, Photos=[ContentFile(b"a photo", "sill.jpg")])
    assert not Submission.objects.exists()
    assert not Card.objects.exists()


# Whom it is from --------------------------------------------------------------------------------------


def test_somebody_we_know_by_e_mail_stays_who_they_are(form, business):
    known = make_contact(business, "Nadia", "Osei", emails=[("nadia@osei.test", "")], phones=[("020 555 0100", "")])
    card = send_all(form, **{"Your name": "N. Osei"}).card
    known.refresh_from_db()
    assert card.contact == known
    assert Contact.objects.count() == 1
    assert (known.given_name, known.phone, known.revision) == ("Nadia", "020 555 0100", 1)
    said = card.comments.get().text
    assert "Another given name than we have of Nadia Osei: N." in said
    assert "Another phone than we have of Nadia Osei: +31 6 5550 0112" in said


def test_what_we_do_not_know_yet_is_filled_in(form, business):
    known = Contact.create(business, emails=[("nadia@osei.test", "")], by=Actor.system(business))
    send_all(form)
    known.refresh_from_db()
    assert (known.name, known.phone) == ("Nadia Osei", "+31 6 5550 0112")


def test_an_archived_contact_is_left_where_it_is(form, business, manager):
    known = make_contact(business, emails=[("nadia@osei.test", "")])
    known.archive(by=actor(manager))
    assert send_all(form).contact != known


def test_nobody_s_name_makes_a_card_without_a_contact(form):
    card = send(form, What="Table").card
    assert (card.name, card.contact) == ("Table", None)


def test_a_card_is_called_as_the_form_says(form, manager):
    change(form, manager, "What do you need?", target="note")
    assert send(form, "k1", Your="Nadia Osei").card.name == "Kitchen enquiry, Nadia Osei"
    form.update(card_name="{name} ({form})", by=actor(manager))
    assert send(form, "k2", Your="Ines").card.name == "Ines (Kitchen enquiry)"
    assert send(form, "k3").card.name == "somebody (Kitchen enquiry)"


def test_a_stranger_calls_nobody_by_an_at(form, owner):
    send(form, Your="Nadia", Anything="Tell @Maren")
    card = send(form, "k2", Have=True, Extras=["@Maren Holt"]).card
    assert Event.objects.about(card).get(name="card.commented").details["mentions"] == []
    card = send(form, "k3", Extras=["Write to ines@brunet.test"]).card
    assert "ines@brunet.test" in card.comments.get().text, "an address can still be copied"


# What cannot be made ----------------------------------------------------------------------------------


def test_a_full_phase_keeps_no_enquiry_from_arriving(form, workflow, manager, staff):
    phase = workflow.phases.first()
    phase.update(wip_limit=1, wip_policy="hard", by=actor(manager))
    there = make_card(phase)
    submission = send_all(form)
    assert (submission.card, submission.contact) == (None, None)
    assert submission.reason == "Customer contacted me is full: 1 of 1 cards."
    assert not Contact.objects.exists(), "both or neither"
    assert Event.objects.about(submission).get().name == "form.submitted"
    with pytest.raises(ValidationError, match="is full"):
        make_card_of(submission, staff)
    there.archive(by=actor(staff))
    made = make_card_of(submission, staff)
    assert (made.card.name, made.card.contact.name, made.reason) == ("Kitchen", "Nadia Osei", "")
    assert make_card_of(submission, staff) == made
    assert Card.objects.on_board().count() == 1
    assert Event.objects.about(made.card).first().actor_name == "Tomás Rivera"


def make_card_of(submission, member):
    return make_it_a_card(Submission.objects.get(pk=submission.pk), by=actor(member))


def test_what_the_phase_asks_for_comes_from_the_form_or_is_said(form, workflow, manager):
    wood = workflow.fields.get()
    workflow.phases.first().update(required=["contact", f"field:{wood.pk}", "assignee"], by=actor(manager))
    assert send_all(form).reason == "Customer contacted me asks for somebody assigned."
    workflow.phases.first().update(required=["contact", f"field:{wood.pk}"], by=actor(manager))
    assert send(form, "k2", **ALL).card


def test_what_looks_like_no_enquiry_is_only_kept(form):
    submission = send_all(form, doubt="A hidden field was filled in.")
    assert (submission.card, submission.reason) == (None, "A hidden field was filled in.")
    assert not Card.objects.exists()
    assert not Contact.objects.exists()


def test_a_field_that_is_gone_or_narrower_becomes_a_note(form, workflow, manager):
    wood = workflow.fields.get()
    wood.update(choices=["Ash", "Elm"], by=actor(manager))
    card = send(form, Which="Oak").card
    assert (card.custom, card.comments.get().text) == ({}, "**Which wood?** Oak")
    wood.remove(by=actor(manager))
    assert "Which wood" in send(form, "k2", Which="Ash").card.comments.get().text


def test_a_form_that_is_closed_takes_nothing(form, manager):
    form.close(by=actor(manager))
    with pytest.raises(ValidationError, match="closed"):
        send_all(form)


def test_its_cards_go_to_the_first_phase_when_theirs_is_deleted(form, workflow, manager):
    second = workflow.phases.all()[1]
    form.update(phase=second, by=actor(manager))
    assert send(form, "k1", **ALL).card.phase == second
    second.delete_to(workflow.phases.all()[2], by=actor(manager))
    form = IntakeForm.objects.get(pk=form.pk)
    assert send(form, "k2", **ALL).card.phase == workflow.phases.first()


# Designing --------------------------------------------------------------------------------------------


def test_a_form_is_off_until_it_is_opened_and_has_questions(workflow, manager):
    form = IntakeForm.create(workflow, title="Hello", by=actor(manager))
    assert not form.is_open
    with pytest.raises(ValidationError, match="Add a question first"):
        form.open(by=actor(manager))
    form.add_question(label="Your name", target="name", by=actor(manager))
    form.open(by=actor(manager))
    assert IntakeForm.objects.get(pk=form.pk).is_open
    workflow.archive(by=actor(manager))
    assert not IntakeForm.objects.get(pk=form.pk).is_open


def test_addresses_are_friendly_and_each_its_own(workflow, manager):
    forms = [IntakeForm.create(workflow, title="Kitchen enquiry!", by=actor(manager)) for _ in range(2)]
    assert [form.slug for form in forms] == ["kitchen-enquiry", "kitchen-enquiry-2"]
    forms[0].update(title="Bathrooms", by=actor(manager))
    assert forms[0].slug == "kitchen-enquiry", "links that were given away go on"


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"label": " "}, "cannot be blank"),
        ({"label": "Wood", "kind": "one", "choices": ["Oak", " oak ", "Oak"][:1]}, "at least two choices"),
        ({"label": "Email", "kind": "email", "target": "phone"}, "cannot become"),
        ({"label": "Name again", "target": "name"}, "fills that in already"),
        ({"label": "Wood", "kind": "list", "choices": ["Oak", "Elm"], "target": "field"}, "Choose a field"),
        ({"label": "Odd", "kind": "riddle"}, "not a valid choice"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_in_words(form, manager, asked, says):
    with pytest.raises(ValidationError, match=says):
        form.add_question(**asked, by=actor(manager))


def test_a_question_fits_the_field_it_fills_in(form, workflow, stranger, manager):
    wood = workflow.fields.get()
    theirs = Field.create(make_workflow(stranger.business), name="Wood", by=actor(stranger))
    with pytest.raises(ValidationError, match="knows no “Elm”"):
        change(form, manager, "Which wood?", choices=["Oak", "Elm"])
    with pytest.raises(ValidationError, match="takes choice"):
        form.add_question(label="Wood", kind="text", target="field", field=wood, by=actor(manager))
    with pytest.raises(ValidationError, match="Choose a field"):
        form.add_question(label="Wood", kind="text", target="field", field=theirs, by=actor(manager))


def test_questions_are_put_in_order_and_taken_out(workflow, manager):
    form = IntakeForm.create(workflow, title="Hello", questions=[{"label": name} for name in "ABCD"], by=actor(manager))

    def labels():
        return [question.label for question in form.questions.all()]

    form.move_question(form.questions.get(label="D"), 0, by=actor(manager))
    assert labels() == ["D", "A", "B", "C"]
    form.move_question(form.questions.get(label="D"), 99, by=actor(manager))
    assert labels() == ["A", "B", "C", "D"]
    form.remove_question(form.questions.get(label="B"), by=actor(manager))
    form.add_question(label="E", by=actor(manager))
    assert labels() == ["A", "C", "D", "E"]
    told = [event.details["what"] for event in Event.objects.about(form).filter(name="form.questions_changed")[:3]]
    assert told == ["added “E”", "took out “B”", "moved “D” to place 4"]


def test_a_form_is_closed_before_it_is_deleted_and_its_cards_stay(form, manager):
    send_all(form, Photos=[ContentFile(b"a photo", "sill.jpg")])
    with pytest.raises(ValidationError, match="Close the form first"):
        form.delete_for_good(by=actor(manager))
    form.close(by=actor(manager))
    form.delete_for_good(by=actor(manager))
    assert not Submission.objects.exists()
    assert Card.objects.get().attachments.count() == Content.objects.count() == 1


def test_only_managers_design_and_nobody_of_another_business(form, staff, stranger):
    with pytest.raises(PermissionDenied):
        form.update(title="Mine", by=actor(staff))
    with pytest.raises(ValueError, match="another business"):
        form.update(title="Mine", by=actor(stranger))


def test_a_business_has_only_so_many_forms(form, workflow, manager, monkeypatch):
    monkeypatch.setattr(limits, "MOST_FORMS", 1)
    with pytest.raises(ValidationError, match="at most 1 forms"):
        IntakeForm.create(workflow, title="Another", by=actor(manager))
