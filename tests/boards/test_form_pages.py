"""The pages of those who make forms: built question by question, shown as it will look, and what was sent through it."""

from html import unescape

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse

from accounts.actor import Actor
from boards.intake import submit
from boards.models import Card, Field, IntakeForm, Submission
from boards.reactions import lay_out_forms
from tests.factories import actor, make_card, make_workflow

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def form(workflow, manager):
    """A form that asks for a name and photos, not open yet."""
    asked = [{"label": "Your name", "target": "name", "required": True}, {"label": "Photos", "kind": "file"}]
    return IntakeForm.create(workflow, title="Kitchen enquiry", questions=asked, by=actor(manager))


def at(form, view="intakeform", *args):
    return reverse(view, args=["brightside", form.pk, *args])


def text_of(answer):
    return unescape(answer.content.decode())


def question(form, label):
    return form.questions.get(label=label)


def send(form, manager, name="Nadia", **files):
    form.open(by=actor(manager))
    sent = {question(form, "Your name"): name, question(form, "Photos"): [ContentFile(b"a photo", "sill.jpg")]}
    return submit(form, name, sent, by=actor(manager))


def test_a_form_is_made_in_a_workflow_and_begins_with_who_is_writing(workflow, manager, browse):
    to = reverse("form_new", args=["brightside"])
    assert "Lead funnel" in text_of(browse(manager).get(to))
    answer = browse(manager).post(to, {"title": "", "workflow": workflow.slug})
    assert answer.status_code == 422
    assert "Give the form a title." in text_of(answer)
    answer = browse(manager).post(to, {"title": "Kitchen enquiry", "workflow": workflow.slug}, follow=True)
    form = IntakeForm.objects.get()
    assert answer.redirect_chain == [(at(form), 302)]
    assert "Not open yet" in text_of(answer)
    assert [one.label for one in form.questions.all()] == ["Your name", "E-mail"]


def test_a_question_is_added_and_its_answer_goes_where_it_should(form, workflow, manager, browse):
    wood = Field.create(workflow, name="Wood", kind="choice", choices=["Oak", "Ash"], by=actor(manager))
    sent = {"label": "Which wood?", "kind": "list", "choices": "Oak\r\nAsh", "goes_to": str(wood.pk), "required": "on"}
    answer = browse(manager).post(at(form, "question_add"), sent, headers=HTMX)
    made = question(form, "Which wood?")
    assert (made.choices, made.field, made.required) == (["Oak", "Ash"], wood, True)
    page = text_of(answer)
    assert "The field Wood" in page
    assert "Added the question." in page
    assert '<option value="Oak">Oak</option>' in page.split('id="preview"')[1], "how it looks is drawn anew"


def test_a_question_that_makes_no_sense_comes_back_with_what_was_typed(form, manager, browse):
    sent = {"label": "Which wood?", "kind": "one", "choices": "Oak", "goes_to": ""}
    for headers in ({}, HTMX):
        answer = browse(manager).post(at(form, "question_add"), sent, headers=headers)
        assert answer.status_code == 422
        assert "Give at least two choices" in text_of(answer)
        assert 'value="Which wood?"' in text_of(answer)
    answer = browse(manager).post(at(form, "question_add"), sent | {"kind": "email", "goes_to": "phone"}, headers=HTMX)
    assert "cannot become “the contact's phone”" in text_of(answer)
    assert form.questions.count() == 2


def test_a_question_is_changed_in_place(form, manager, browse):
    name = question(form, "Your name")
    page = text_of(browse(manager).get(at(form) + f"?open={name.pk}"))
    assert f'id="question-{name.pk}-label"' in page
    sent = {"label": "Who are you?", "kind": "text", "goes_to": "name", "half": "on"}
    answer = browse(manager).post(at(form, "question_update", name.pk), sent, follow=True)
    assert "Who are you?" in text_of(answer)
    name.refresh_from_db()
    assert (name.label, name.target, name.required, name.half) == ("Who are you?", "name", False, True)


def test_questions_are_reordered_and_taken_out(form, manager, browse):
    photos = question(form, "Photos")
    browse(manager).post(at(form, "question_move"), {"question": photos.pk, "position": 0}, headers=HTMX)
    assert [one.label for one in form.questions.all()] == ["Photos", "Your name"]
    answer = browse(manager).post(at(form, "question_move"), {"question": photos.pk, "position": "x"}, headers=HTMX)
    assert answer.status_code == 422
    answer = browse(manager).post(at(form, "question_remove", photos.pk), follow=True)
    assert "Took out “Photos”" in text_of(answer)


def test_what_it_says_is_shown_before_it_is_saved(form, workflow, manager, browse):
    second = workflow.phases.all()[1]
    sent = {
        "title": "Kitchens",
        "phase": second.pk,
        "button": "Go",
        "card_name": "{name}",
        "tint": "2",
        "steps": "a: b",
    }
    preview = text_of(browse(manager).post(at(form, "form_update"), sent | {"do": "preview"}, headers=HTMX))
    assert 'id="preview"' in preview
    assert "Kitchens" in preview
    assert "<main" not in preview
    assert IntakeForm.objects.get().title == "Kitchen enquiry"
    browse(manager).post(at(form, "form_update"), sent)
    form = IntakeForm.objects.get()
    assert (form.title, form.phase, form.tint, form.path) == ("Kitchens", second, 2, [("a", "b")])
    answer = browse(manager).post(at(form, "form_update"), sent | {"title": " ", "steps": "x\n" * 7}, headers=HTMX)
    assert answer.status_code == 422
    assert "Give the form a title." in text_of(answer)


def test_it_is_opened_shared_closed_and_deleted(form, manager, browse, settings):
    settings.BASE_URL = "https://phasewise.example/"
    page = text_of(browse(manager).post(at(form, "form_open"), headers=HTMX))
    assert "https://phasewise.example/f/brightside/kitchen-enquiry/" in page
    assert '<iframe src="https://phasewise.example/f/brightside/kitchen-enquiry/embed/"' in page
    assert "Close it first" in text_of(browse(manager).get(at(form, "form_delete")))
    browse(manager).post(at(form, "form_close"))
    answer = browse(manager).post(at(form, "form_delete"), follow=True)
    assert "Deleted Kitchen enquiry." in text_of(answer)
    assert not IntakeForm.objects.exists()


def test_an_empty_form_is_not_opened(workflow, manager, browse):
    form = IntakeForm.create(workflow, title="Empty", by=actor(manager))
    answer = browse(manager).post(at(form, "form_open"), headers=HTMX)
    assert answer.status_code == 422
    assert "Add a question first" in text_of(answer)


def test_who_may_not_design_looks(form, viewer, browse):
    page = text_of(browse(viewer).get(at(form)))
    assert "Your name" in page
    assert "Add a question" not in page
    assert "Open it" not in page


def test_forms_are_listed_with_what_came_of_them(form, manager, staff, browse):
    send(form, manager)
    page = text_of(browse(staff).get(reverse("forms", args=["brightside"])))
    assert "Kitchen enquiry" in page
    assert "1 sent" in page
    assert "without a card" not in page


def test_what_was_sent_is_shown_as_it_came_and_where_it_went(form, manager, viewer, browse):
    sent = send(form, manager, "Nadia Osei")
    assert "Nadia Osei" in text_of(browse(viewer).get(at(form, "submissions")))
    page = text_of(browse(viewer).get(reverse("submission", args=["brightside", sent.pk])))
    assert f"Card {sent.card.number}" in page
    assert "sill.jpg" in page
    assert "Make the card now" not in page
    file = browse(viewer).get(reverse("submission_file", args=["brightside", sent.pk, sent.files.get().pk]))
    assert (file.content, file["Content-Disposition"]) == (b"a photo", 'attachment; filename="sill.jpg"')


def test_what_became_no_card_says_why_and_is_made_one_later(form, workflow, manager, staff, browse):
    phase = workflow.phases.first()
    phase.update(wip_limit=1, wip_policy="hard", by=actor(manager))
    there = make_card(phase)
    sent = send(form, manager, "Nadia Osei")
    here = reverse("submission", args=["brightside", sent.pk])
    assert "Nadia Osei" in text_of(browse(staff).get(at(form, "submissions") + "?show=stuck"))
    assert "is full: 1 of 1 cards." in text_of(browse(staff).get(here))
    answer = browse(staff).post(here + "card/", follow=True)
    assert answer.redirect_chain == [(here, 302)]
    assert "is full" in text_of(answer)
    there.archive(by=actor(manager))
    answer = browse(staff).post(here + "card/", follow=True)
    card = Card.objects.on_board().get()
    assert answer.redirect_chain == [(reverse("card", args=["brightside", card.number]), 302)]
    assert "Made Kitchen enquiry, Nadia Osei." in text_of(answer)


def test_what_was_sent_can_be_deleted_and_its_card_stays(form, manager, browse):
    sent = send(form, manager)
    answer = browse(manager).post(reverse("submission_delete", args=["brightside", sent.pk]), follow=True)
    assert "Deleted." in text_of(answer)
    assert not Submission.objects.exists()
    assert Card.objects.count() == 1


def test_the_feed_leads_to_what_was_sent(form, workflow, manager, browse):
    workflow.phases.first().update(wip_limit=1, wip_policy="hard", by=actor(manager))
    make_card(workflow.phases.first())
    sent = send(form, manager)
    page = text_of(browse(manager).get(reverse("feed", args=["brightside"])))
    assert reverse("submission", args=["brightside", sent.pk]) in page
    assert at(form) in page


def test_the_card_leads_to_what_was_sent_as_long_as_it_is_there(form, manager, staff, browse):
    sent = send(form, manager, "Nadia Osei")
    here = reverse("submission", args=["brightside", sent.pk])
    card = reverse("card", args=["brightside", sent.card.number])
    assert here in text_of(browse(staff).get(card))
    sent.delete_for_good(by=actor(manager))
    page = text_of(browse(staff).get(card))
    assert "was sent in by Nadia Osei" in page
    assert here not in page


@pytest.mark.django_db(transaction=True)
def test_a_workflow_for_recruitment_brings_its_form(business, manager, browse, client):
    workflow = make_workflow(business, "Recruitment", "recruitment")
    form = workflow.forms.get()
    assert (form.title, form.is_open) == ("Job application", False)
    assert "Job application" in text_of(
        browse(manager).get(reverse("workflow_settings", args=["brightside", "recruitment"]))
    )
    browse(manager).post(at(form, "form_open"))
    lay_out_forms(sender=None, event=business.events.get(name="workflow.created"))
    assert workflow.forms.count() == 1, "told twice, laid out once"
    assert "Come and work with us." in text_of(client.get("/f/brightside/job-application/"))
    sent = {"Given name": "Anouk", "Family name": "Visser", "E-mail": "anouk@visser.test"}
    by = Actor("form", str(form.pk), form.title, business.pk)
    card = submit(form, "k", {one: sent.get(one.label) for one in form.questions.all()}, by=by).card
    assert (card.name, card.phase.name, card.workflow) == ("Anouk Visser", "New candidate", workflow)
