"""Django admin: every model is there, nothing is written past the verbs, and lists stay quick."""

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.core import mail
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from accounts.admin import SeenAdmin
from accounts.models import Business, Event, Membership, Token
from boards.models import (
    Attachment,
    Card,
    Comment,
    Item,
    Label,
    Phase,
    Workflow,
)
from contacts.models import Contact
from tests.accounts.back_room import OURS, REGISTERED, furnish, names, url
from tests.factories import UserFactory, actor, join, make_card, make_workflow
from tests.house.counting import assert_not_growing

pytestmark = pytest.mark.django_db

# Every page -------------------------------------------------------------------------------------------


def test_every_model_of_ours_is_registered():
    assert set(names(OURS)) <= set(names(REGISTERED))


def test_every_list_has_columns_and_a_search():
    for model in OURS:
        page = admin.site._registry[model]
        assert len(page.list_display) >= 3, model
        assert page.search_fields, model


@pytest.mark.one_database
def test_no_page_takes_more_queries_with_more_rows(back_room):
    furnish(2)
    pages = [url(model) for model in REGISTERED] + [url(model) + "?q=o" for model in OURS]
    pages += [url(model._default_manager.first(), "change") for model in OURS if model is not Event]
    assert_not_growing(back_room, [*pages, reverse("admin:index")], lambda: furnish(4))


@pytest.mark.one_database
def test_a_card_with_much_on_it_takes_no_more_queries(back_room, business, owner):
    by, workflow = actor(owner), make_workflow(business)
    card = make_card(workflow.phases.first())
    for _ in range(2):
        Item.add(card, "Step", by=by)
        card.assign([join(business, "staff")], by=by)
    card.add_label(workflow.labels.first(), by=by)
    Comment.write(card, "Hm", by=by)

    def grow():
        for number in range(20):
            Item.add(card, "Step", by=by).tick(True, by=by)
            Comment.write(card, f"Hm {number}", by=by)
            Attachment.attach(card, [ContentFile(b"a drawing", "drawing.pdf")], by=by)
            card.add_label(Label.create(workflow, name=f"Label {number}", by=by), by=by)
        card.assign([join(business, "staff") for _ in range(20)], by=by)

    assert_not_growing(back_room, [url(card, "change"), url(workflow, "change"), url(business, "change")], grow)


def test_no_secret_is_ever_shown(back_room, business, owner):
    by = actor(owner)
    token, secret = Token.create(business, name="Shop", scopes=["CARD_VIEW"], maker=owner.user, by=by)
    invitation, link = business.invite("new@example.test", "staff", by=by)
    factor = Authenticator.objects.create(user=owner.user, type="totp", data={"secret": "hush-hush"})
    for row in (token, invitation, factor, owner.user):
        shown = back_room.get(url(row, "change")).content.decode() + back_room.get(url(type(row))).content.decode()
        for hush in (secret, link, token.digest, invitation.digest, "hush-hush", owner.user.password):
            assert hush not in shown


# Changes are verbs ------------------------------------------------------------------------------------


def send(client, address, **values):
    return client.post(address, {key: "" if value is None else value for key, value in values.items()})


def form_of(client, address):
    """Return what the browser would send if nothing was typed."""
    form = client.get(address).context["adminform"].form
    return {name: form[name].value() for name in form.fields}


def change(client, row, **changes):
    return send(
        client, url(row, "change"), **{**form_of(client, url(row, "change")), **changes}, **inlines(client, row)
    )


def inlines(client, row):
    """Return the management forms of what is shown along."""
    found = {}
    for formset in client.get(url(row, "change")).context["inline_admin_formsets"]:
        management = formset.formset.management_form
        found |= {management.add_prefix(name): management[name].value() for name in management.fields}
    return found


def no_inlines(client, model):
    found = {}
    for formset in client.get(url(model, "add")).context["inline_admin_formsets"]:
        management = formset.formset.management_form
        found |= {management.add_prefix(name): 0 for name in management.fields}
    return found


@pytest.fixture
def card(business):
    """A card of the business."""
    return make_card(make_workflow(business).phases.first(), "Oak table", value=5)


def told(name):
    event = Event.objects.get(name=name)
    assert (event.actor_kind, event.actor_name) == ("admin", "Root Admin (administrator)")
    return event


CHANGES = {
    "business.updated": (lambda c: c.business, {"name": "Brightside & Sons"}),
    "member.role_changed": (lambda c: join(c.business, "staff"), {"role": "manager"}),
    "contact.updated": (lambda c: Contact.objects.get(), {"given_name": "Inés", "notes": "Likes oak"}),
    "workflow.updated": (lambda c: c.workflow, {"name": "Sales", "type": "sales"}),
    "phase.updated": (lambda c: c.phase, {"name": "First call"}),
    "label.updated": (lambda c: c.workflow.labels.first(), {"name": "Hurry"}),
    "card.updated": (lambda c: c, {"name": "Ash table", "value": 7, "due_date": "2026-12-24"}),
    "card.item_changed": (lambda c: c.items.get(), {"text": "Measure twice"}),
    "card.comment_changed": (lambda c: c.comments.get(), {"text": "Taken back."}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_a_verb_told_as_the_administrators(back_room, card, owner, name):
    by = actor(owner)
    Contact.create(card.business, given_name="Ines", by=by)
    Item.add(card, "Measure", by=by)
    Comment.write(card, "Nonsense", by=by)
    find, changes = CHANGES[name]
    row = find(Card.objects.get(pk=card.pk))
    assert change(back_room, row, **changes).status_code == 302
    event = told(name)
    assert event.business_id == card.business_id
    row.refresh_from_db()
    for field, value in changes.items():
        assert str(getattr(row, field)) == str(value)


def test_another_phase_is_a_move(back_room, card):
    to = card.workflow.phases.all()[2]
    make_card(to)
    change(back_room, card, phase=to.pk, name="Ash table")
    assert told("card.moved").details["after"]["name"] == to.name
    assert told("card.updated").details["after"] == {"name": "Ash table"}
    to.refresh_from_db()
    assert (to.card_count, to.value_total) == (2, 5)


def test_saving_without_a_change_is_no_news(back_room, card):
    before = Event.objects.count()
    assert change(back_room, card).status_code == 302
    assert Event.objects.count() == before


REFUSALS = {
    "phase of another workflow": lambda c: {"phase": make_workflow(c.business, "Other").phases.first().pk},
    "contact of another business": lambda c: {"contact": Contact.objects.exclude(business=c.business).get().pk},
    "time without a day": lambda c: {"due_time": "09:00"},
    "both a good and a bad change": lambda c: {"phase": c.workflow.phases.last().pk, "due_time": "09:00"},
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_what_a_verb_refuses_changes_nothing_and_keeps_what_was_typed(back_room, card, stranger, refusal):
    Contact.create(stranger.business, given_name="Foreign", by=actor(stranger))
    changes = REFUSALS[refusal](card)
    before = Event.objects.count()
    answer = change(back_room, card, **changes, name="Typed already")
    assert answer.status_code == 422
    assert answer.context["errors"]
    assert "Typed already" in answer.content.decode()
    assert Event.objects.count() == before
    card.refresh_from_db()
    assert (card.name, card.phase.position) == ("Oak table", 0)


def test_the_refusal_stands_at_its_field(back_room, card):
    answer = change(back_room, card, due_time="09:00")
    assert answer.context["adminform"].form.errors["due_time"] == ["Choose a day as well."]


def test_the_last_owner_stays_owner(back_room, owner):
    answer = change(back_room, owner, role="viewer")
    assert "A business needs an owner" in answer.content.decode()
    owner.refresh_from_db()
    assert owner.role == "owner"


ADDS = {
    "contact.created": (Contact, lambda b, w: {"business": b.pk, "company": "Oak Ltd"}),
    "workflow.created": (Workflow, lambda b, w: {"business": b.pk, "name": "Repair", "type": "service"}),
    "phase.created": (Phase, lambda b, w: {"workflow": w.pk, "name": "Glueing", "stage": "processing"}),
    "label.created": (Label, lambda b, w: {"workflow": w.pk, "name": "Hurry", "tint": 3}),
    "card.created": (Card, lambda b, w: {"phase": w.phases.first().pk, "name": "Oak table"}),
}


@pytest.mark.parametrize("name", ADDS)
def test_adding_is_a_verb_too(back_room, business, workflow, name):
    model, values = ADDS[name]
    before = model.objects.count()
    answer = send(back_room, url(model, "add"), **values(business, workflow), **no_inlines(back_room, model))
    assert answer.status_code == 302
    assert model.objects.count() == before + 1
    event = Event.objects.filter(name=name).first()
    assert (event.actor_kind, event.business_id) == ("admin", business.pk)
    assert model.objects.filter(pk=event.subject_id).exists()


def test_a_contact_of_nobody_is_not_made(back_room, business):
    answer = send(back_room, url(Contact, "add"), business=business.pk, **no_inlines(back_room, Contact))
    assert answer.status_code == 422
    assert "Give at least a name" in answer.content.decode()
    assert not Contact.objects.exists()


def act(client, row, action, **more):
    return client.post(url(type(row)), {"action": action, "_selected_action": [row.pk], **more}, follow=True)


def test_archiving_and_restoring_are_actions(back_room, card):
    act(back_room, card, "archive")
    assert told("card.archived")
    card.phase.refresh_from_db()
    assert card.phase.card_count == 0
    act(back_room, card, "restore")
    assert told("card.restored")


def test_an_action_works_on_the_rows_own_page_too(back_room, card):
    sent = {"CHANGE_FORM-action": "archive", "_selected_action": card.pk}
    assert back_room.post(url(card, "change"), sent).status_code == 302
    assert told("card.archived")


def test_what_is_final_is_asked_first(back_room, card, owner):
    card.archive(by=actor(owner))
    answer = act(back_room, card, "delete_for_good")
    assert "cannot be taken back" in answer.content.decode()
    assert Card.objects.filter(pk=card.pk).exists()
    act(back_room, card, "delete_for_good", sure="yes")
    assert not Card.objects.filter(pk=card.pk).exists()
    assert told("card.deleted")


def test_a_refused_action_says_why_and_goes_on_with_the_others(back_room, card, owner):
    other = make_card(card.phase, "Ash bench")
    other.archive(by=actor(owner))
    answer = back_room.post(
        url(Card),
        {"action": "delete_for_good", "_selected_action": [card.pk, other.pk], "sure": "yes"},
        follow=True,
    )
    assert "Oak table: Archive the card first" in answer.content.decode()
    assert list(Card.objects.all()) == [card]


def test_members_are_removed_tokens_revoked_and_invitations_withdrawn(back_room, business, owner):
    by = actor(owner)
    member = join(business, "staff")
    token, _ = Token.create(business, name="Shop", scopes=["CARD_VIEW"], maker=owner.user, by=by)
    invitation, _ = business.invite("new@example.test", "staff", by=by)
    act(back_room, member, "remove", sure="yes")
    act(back_room, token, "revoke")
    act(back_room, invitation, "withdraw")
    assert not Membership.objects.filter(pk=member.pk).exists()
    assert {"member.removed", "token.revoked", "member.uninvited"} == set(
        Event.objects.filter(actor_kind="admin").values_list("name", flat=True)
    )


# What is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [Business, Event, Membership, Token], ids=lambda m: m._meta.label)
def test_what_is_not_made_here_cannot_be_posted(back_room, model):
    assert back_room.post(url(model, "add"), {"name": "x"}).status_code == 403


def test_the_ledger_is_for_reading(back_room, business):
    event = Event.objects.get()
    assert not back_room.get(url(event, "change")).context["has_change_permission"]
    assert back_room.post(url(event, "change"), {"name": "card.moved"}).status_code == 403
    assert isinstance(admin.site._registry[Event], SeenAdmin)


# Who comes in -----------------------------------------------------------------------------------------


def test_the_door_is_the_same_as_everybodys(client):
    answer = client.get(reverse("admin:index"), follow=True)
    assert answer.redirect_chain[-1][0].startswith(reverse("account_login"))


def test_an_owner_of_a_business_is_nobody_here(browse, owner):
    assert browse(owner).get(reverse("admin:index"), follow=True).status_code == 403


def test_an_administrator_without_permissions_sees_nothing(card):
    lesser = UserFactory(is_staff=True)
    client = Client()
    client.force_login(lesser)
    assert client.get(reverse("admin:index")).status_code == 200
    for model in OURS:
        row = model._default_manager.first()
        assert client.get(url(model)).status_code == 403
        if row:
            assert client.get(url(row, "change")).status_code == 403
            assert client.post(url(row, "change"), {}).status_code == 403
            assert client.get(url(row, "delete")).status_code == 403
    assert client.post(url(Card), {"action": "archive", "_selected_action": [card.pk]}).status_code == 403


def test_an_administrator_who_may_only_look_changes_nothing(card):
    lesser = UserFactory(is_staff=True)
    lesser.user_permissions.add(Permission.objects.get(codename="view_card"))
    client = Client()
    client.force_login(lesser)
    assert client.get(url(card, "change")).status_code == 200
    assert client.post(url(card, "change"), {"name": "x"}).status_code == 403
    assert client.get(url(Card, "add")).status_code == 403
    client.post(url(Card), {"action": "archive", "_selected_action": [card.pk]})
    client.post(url(card, "change"), {"CHANGE_FORM-action": "archive", "_selected_action": card.pk})
    card.refresh_from_db()
    assert card.archived_at is None


# People -----------------------------------------------------------------------------------------------


def test_a_person_is_shut_out_at_once(back_room, browse, staff):
    client = browse(staff)
    user = staff.user
    sent = {"name": user.name, "groups": [], "user_permissions": []}
    assert back_room.post(url(user, "change"), sent).status_code == 302
    user.refresh_from_db()
    assert not user.is_active
    assert client.get(reverse("account_email")).status_code == 302


def test_a_reset_mail_leaves_the_password_alone(back_room, staff):
    act(back_room, staff.user, "mail_reset")
    assert [message.to for message in mail.outbox] == [[staff.user.email]]
    assert staff.user.check_password("correct horse battery")


def test_nobody_locks_themselves_out(back_room, administrator):
    back_room.post(url(administrator, "change"), {"name": "Root", "groups": [], "user_permissions": []})
    administrator.refresh_from_db()
    assert (administrator.name, administrator.is_active, administrator.is_superuser) == ("Root", True, True)


def test_a_lesser_administrator_makes_no_administrators(administrator, staff):
    lesser = UserFactory(is_staff=True)
    lesser.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    client = Client()
    client.force_login(lesser)
    sent = {"name": "Same", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    client.post(url(staff.user, "change"), sent)
    staff.user.refresh_from_db()
    assert (staff.user.name, staff.user.is_staff, staff.user.is_superuser) == ("Same", False, False)
    assert client.post(url(administrator, "change"), sent).status_code == 403


def test_the_password_is_changed_where_everybody_changes_it(back_room):
    answer = back_room.get(reverse("admin:password_change"))
    assert answer.url == reverse("account_change_password")


# Autocomplete -----------------------------------------------------------------------------------------


def test_an_autocomplete_tells_equal_names_apart(back_room, business, stranger):
    make_workflow(business, "Sales")
    make_workflow(stranger.business, "Sales")
    sent = {"app_label": "boards", "model_name": "card", "field_name": "phase", "term": "invoice sent"}
    found = back_room.get(reverse("admin:autocomplete"), sent).json()["results"]
    assert {row["text"] for row in found} == {
        "Invoice sent · Sales · Brightside Joinery",
        "Invoice sent · Sales · Other Ltd",
    }


@pytest.mark.one_database
def test_an_autocomplete_takes_no_more_queries_with_more_rows(back_room):
    furnish(2)
    fields = [("card", "phase"), ("card", "contact"), ("workflow", "business"), ("phase", "workflow")]
    address = reverse("admin:autocomplete") + "?app_label=boards&model_name={}&field_name={}&term="
    assert_not_growing(back_room, [address.format(*field) for field in fields], lambda: furnish(4))


def test_an_autocomplete_is_closed_to_those_who_may_not_see_the_rows(business):
    client = Client()
    client.force_login(UserFactory(is_staff=True))
    sent = {"app_label": "boards", "model_name": "card", "field_name": "phase", "term": ""}
    assert client.get(reverse("admin:autocomplete"), sent).status_code == 403
