"""A form as the public meets it: no account, no cookie, nothing typed is lost, machines are kept off, frames may hold it."""

import re
from html import unescape

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from boards.forms.intake import LONGEST
from boards.models import Card, IntakeForm, Submission
from boards.models import intake as limits
from boards.views.intake import MOST_TRIES
from tests.factories import actor

pytestmark = pytest.mark.django_db
NOON = "2026-11-27T12:00:00Z"


@pytest.fixture
def form(workflow, manager):
    """An enquiry of a few questions, open to the public."""
    asked = [
        {"label": "Your name", "target": "name", "required": True},
        {"label": "Email", "kind": "email", "required": True},
        {"label": "Budget", "kind": "money"},
        {"label": "Which wood?", "kind": "one", "choices": ["Oak", "Ash"]},
        {"label": "Photos", "kind": "file"},
    ]
    form = IntakeForm.create(
        workflow, title="Kitchen enquiry", thanks="We call you.", questions=asked, by=actor(manager)
    )
    form.open(by=actor(manager))
    return form


@pytest.fixture
def clock():
    """A clock that stands still until it is moved."""
    with time_machine.travel(NOON, tick=False) as moved:
        yield moved


class Visitor:
    """Somebody's browser on the page of a form."""

    def __init__(self, form, clock, place="intake", address="192.0.2.1"):
        self.client, self.clock = Client(enforce_csrf_checks=True, REMOTE_ADDR=address), clock
        self.names = {question.label: f"q-{question.pk}" for question in form.questions.all()}
        self.to = reverse(place, args=[form.business.slug, form.slug])
        self.page = self.client.get(self.to)

    @property
    def text(self):
        return unescape(self.page.content.decode())

    @property
    def token(self):
        return re.search(r'name="token" value="([^"]+)"', self.text)[1]

    def send(self, *, after=10, token=None, trap="", **answers):
        """Fill in the page and send it some seconds later; answers are named by the beginning of their question."""
        self.clock.shift(after)
        sent = {"token": self.token if token is None else token, "leave_empty": trap}
        for begins, answer in answers.items():
            sent[next(name for label, name in self.names.items() if label.startswith(begins))] = answer
        self.page = self.client.post(self.to, sent)
        return self.page


NADIA = {"Your": "Nadia Osei", "Email": "nadia@osei.test"}


def photo(name="sill.jpg", size=100):
    return SimpleUploadedFile(name, b"x" * size, "image/jpeg")


def test_anybody_sends_it_without_a_cookie_and_is_thanked(form, clock):
    visitor = Visitor(form, clock)
    assert "Kitchen enquiry" in visitor.text
    assert "<script" not in visitor.text
    answer = visitor.send(**NADIA, Budget="1.950,50", Which="Oak", Photos=photo())
    assert (answer.status_code, answer.url) == (302, "/f/brightside/kitchen-enquiry/thanks/")
    assert not visitor.client.cookies
    page = unescape(visitor.client.get(answer.url).content.decode())
    assert "Thank you" in page
    assert "We call you." in page
    card = Card.objects.get()
    assert (card.name, card.value, card.contact.email) == ("Kitchen enquiry, Nadia Osei", 195050, "nadia@osei.test")
    assert card.attachments.get().name == "sill.jpg"


def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(form, clock):
    visitor = Visitor(form, clock)
    answer = visitor.send(Your="Nadia <b>", Email="nadia@osei", Budget="lots", Which="Elm", Photos=photo())
    assert answer.status_code == 422
    for said in (
        "This looks unfinished. An email ends in something like .com or .nl",
        "Write an amount, such as 1950 or 1,950.50.",
        "Select a valid choice. Elm is not one of the available choices.",
        "Choose your files again",
    ):
        assert visitor.text.count(said) == 2, "above, and at its field"
    for typed in ('value="Nadia &lt;b&gt;"', 'value="nadia@osei"', 'value="lots"'):
        assert typed in answer.content.decode()
    assert not Submission.objects.exists()
    assert visitor.send(**NADIA).status_code == 302


def test_an_answer_that_has_to_be_given_is_asked_for(form, clock):
    visitor = Visitor(form, clock)
    visitor.send(Your="  ", Email="")
    assert visitor.text.count("This has to be filled in.") == 4


def test_one_page_sent_twice_makes_one_card_and_with_other_answers_another(form, clock):
    visitor = Visitor(form, clock)
    token = visitor.token
    for name in ("Nadia", "Nadia", "Ines"):
        assert visitor.send(token=token, Your=name, Email="nadia@osei.test").status_code == 302
    assert [card.name for card in Card.objects.all()] == ["Kitchen enquiry, Nadia", "Kitchen enquiry, Ines"]
    assert Submission.objects.count() == 2


def test_what_is_sent_too_quickly_or_too_late_or_with_no_token_is_asked_for_again(form, clock):
    for after, token, says in (
        (1, None, "That was very quick"),
        (LONGEST + 1, None, "lay open for too long"),
        (10, "", "lay open for too long"),
        (10, "made:up:token", "lay open for too long"),
    ):
        visitor = Visitor(form, clock)
        assert visitor.send(after=after, token=token, **NADIA).status_code == 422
        assert says in visitor.text
        assert 'value="Nadia Osei"' in visitor.text
        assert not Submission.objects.exists()
        assert visitor.send(**NADIA).status_code == 302
        Submission.objects.all().delete()


def test_a_token_of_another_form_is_none(form, clock, workflow, manager):
    other = IntakeForm.create(workflow, title="Other", questions=[{"label": "Hello"}], by=actor(manager))
    other.open(by=actor(manager))
    token = Visitor(other, clock).token
    assert Visitor(form, clock).send(token=token, **NADIA).status_code == 422


def test_a_machine_that_fills_in_everything_is_thanked_and_only_kept(form, clock):
    assert Visitor(form, clock).send(trap="https://spam.test", **NADIA).status_code == 302
    assert not Card.objects.exists()
    assert "looks like a machine" in Submission.objects.get().reason


def test_one_visitor_sends_only_so_much_and_loses_nothing(form, clock):
    for number in range(MOST_TRIES):
        assert Visitor(form, clock).send(after=3, Your=f"N {number}", Email="n@osei.test").status_code == 302
    visitor = Visitor(form, clock)
    assert visitor.send(after=3, **NADIA).status_code == 429
    assert "That is a lot in a short time" in visitor.text
    assert 'value="Nadia Osei"' in visitor.text
    assert Visitor(form, clock, address="192.0.2.2").send(after=3, **NADIA).status_code == 302, "others still may"
    clock.shift(700)
    assert visitor.send(**NADIA).status_code == 302, "and so may they, later"


def test_all_together_send_only_so_much(form, clock, monkeypatch):
    monkeypatch.setattr(limits, "AN_HOUR", 1)
    assert Visitor(form, clock, address="192.0.2.1").send(**NADIA).status_code == 302
    assert Visitor(form, clock, address="192.0.2.2").send(**NADIA).status_code == 429


def test_files_that_are_too_large_or_have_no_room_are_refused_kindly(form, clock, settings):
    settings.FILE_MEGABYTES = 1
    visitor = Visitor(form, clock)
    assert visitor.send(**NADIA, Photos=photo(size=1024 * 1024 + 1)).status_code == 422
    assert "A file may have at most 1 MB; sill.jpg has 1.0." in visitor.text
    assert visitor.send(**NADIA, Photos=[photo() for _ in range(11)]).status_code == 422
    assert "At most 10 files, please." in visitor.text
    settings.FILES_MEGABYTES = 0
    assert visitor.send(**NADIA, Photos=photo()).status_code == 422
    assert "We cannot take files just now." in visitor.text
    assert "may have 0 MB" not in visitor.text, "how much there is, is not for strangers"
    assert visitor.send(**NADIA).status_code == 302


def test_a_form_that_is_off_says_so_and_takes_nothing(form, clock, manager):
    visitor = Visitor(form, clock)
    token = visitor.token
    form.close(by=actor(manager))
    assert visitor.send(token=token, **NADIA).status_code == 410
    assert "This form is closed" in visitor.text
    assert "Kitchen enquiry" not in visitor.text
    assert visitor.client.get(f"{visitor.to}thanks/").status_code == 410
    assert not Submission.objects.exists()


@pytest.mark.parametrize("address", ["/f/brightside/nothing/", "/f/nobody/kitchen-enquiry/", "/f/brightside/"])
def test_a_form_that_never_was_is_not_found(form, client, address):
    assert client.get(address).status_code == 404


def test_only_its_own_address_for_frames_may_be_framed(form, clock):
    page = Visitor(form, clock).page
    assert page["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    visitor = Visitor(form, clock, "intake_framed")
    assert "X-Frame-Options" not in visitor.page
    assert "frame-ancestors *" in visitor.page["Content-Security-Policy"]
    assert "default-src 'self'" in visitor.page["Content-Security-Policy"]
    answer = visitor.send(**NADIA)
    assert answer.url == "/f/brightside/kitchen-enquiry/embed/thanks/"
    assert "X-Frame-Options" not in visitor.client.get(answer.url)
    assert Visitor(form, clock, "intake_framed").send(Your="").status_code == 422


def test_what_its_makers_write_is_shown_and_never_run(form, clock, manager):
    nasty = "<script>alert(1)</script>"
    form.update(title=nasty, introduction=nasty, headline=nasty, steps=f"{nasty}: {nasty}", by=actor(manager))
    form.add_question(label=nasty, help=nasty, kind="many", choices=[nasty, "b"], by=actor(manager))
    assert "<script>alert" not in Visitor(form, clock).page.content.decode()


def test_who_is_signed_in_sends_it_like_anybody(form, clock, staff):
    visitor = Visitor(form, clock)
    visitor.client.force_login(staff.user)
    assert visitor.send(**NADIA).status_code == 302
    assert Card.objects.get().created_by is None


def test_a_proxy_that_says_nothing_keeps_nobody_from_sending(form, clock, settings):
    visitor = Visitor(form, clock, address="unix socket")
    assert visitor.send(**NADIA).status_code == 302
