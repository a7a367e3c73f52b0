"""The card's page and panel: what they show, what their forms do, and what they refuse."""

import datetime as dt
import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Event
from boards.models import Card, Comment, Item, Label
from boards.views.panel import MOST_EVENTS, _marker
from tests.factories import actor, join, make_card, make_contact, make_workflow

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def card(workflow):
    return make_card(workflow.phases.first(), "Oak kitchen", value=840000, source="Website")


@pytest.fixture
def other_card(stranger):
    """A card of another business, with a line, a comment and a label of its own."""
    card = make_card(make_workflow(stranger.business).phases.first(), "Not yours")
    Item.add(card, "Secret line", by=actor(stranger))
    Comment.write(card, "Secret words", by=actor(stranger))
    return card


def at(card, verb="", *args):
    """Return the address of a card of Brightside, or of a verb of it."""
    return reverse(f"card{verb and '_' + verb}", args=["brightside", card.number, *args])


def fresh(card):
    return Card.objects.get(pk=card.pk)


def text_of(answer):
    return unescape(answer.content.decode())


# Looking ----------------------------------------------------------------------------------------------


def test_without_htmx_the_card_is_a_page_over_its_board(card, staff, browse):
    page = text_of(browse(staff).get(at(card)))
    assert "<title>Oak kitchen · Brightside Joinery · Phasewise</title>" in page
    assert 'id="card-panel"' in page
    assert 'aria-label="Lead funnel board"' in page


def test_with_htmx_the_board_gets_the_panel_alone(card, staff, browse):
    answer = browse(staff).get(at(card), headers={**HTMX, "HX-Target": "panel"})
    page = text_of(answer)
    assert page.lstrip().startswith("<title>Oak kitchen")
    assert "<html" not in page
    assert "<main" not in page


def test_the_panel_says_where_the_card_is_and_since_when(card, staff, browse):
    since = card.created_at - dt.timedelta(days=12)
    Card.objects.filter(pk=card.pk).update(created_at=since, entered_at=card.entered_at - dt.timedelta(days=3))
    page = text_of(browse(staff).get(at(card)))
    assert f"Card {card.number} · 12 days in this workflow · 3 in this phase" in page
    assert "Phase 1 of 6: Customer contacted me" in page
    assert "Move to Contact made with customer" in page


def test_a_card_that_does_not_exist_or_is_anothers_is_not_found(card, other_card, staff, stranger, browse):
    for number in (card.number + 99, 10**30):
        assert browse(staff).get(reverse("card", args=["brightside", number])).status_code == 404
    assert browse(stranger).get(at(card)).status_code == 404
    assert browse(staff).get(reverse("card", args=["other", other_card.number])).status_code == 404


def test_a_viewer_reads_everything_and_finds_nothing_to_press(card, viewer, browse):
    Item.add(card, "Measure", by=actor(card.business.memberships.get(role="owner")))
    page = text_of(browse(viewer).get(at(card), headers={**HTMX, "HX-Target": "panel"}))
    assert "Measure" in page
    assert "<form" not in page
    assert "<textarea" not in page


def test_what_people_write_is_shown_and_never_run(card, staff, browse):
    nasty = "<script>alert(1)</script>{{ 7|add:7 }}{% now 'Y' %}"
    card.update(name=nasty, description=f"**bold** {nasty}", source=nasty, by=actor(staff))
    Item.add(card, nasty, by=actor(staff))
    Comment.write(card, nasty, by=actor(staff))
    Label.create(card.workflow, name=nasty[:50], by=actor(staff))
    page = browse(staff).get(at(card)).content.decode()
    assert "<script>alert" not in page
    assert "<strong>bold</strong>" in page
    assert "{{ 7|add:7 }}" in unescape(page)


@pytest.mark.parametrize("name", ["👩‍👩‍👧 Кухня", "مطبخ من خشب البلوط", "x" * 300, "‮evil"])
def test_any_script_is_kept_as_it_was_typed(card, staff, browse, name):
    browse(staff).post(at(card, "update", "name"), {"name": name, "was-name": card.name})
    assert fresh(card).name == name
    assert name in text_of(browse(staff).get(at(card)))


# Changing fields --------------------------------------------------------------------------------------


def test_a_plain_form_changes_a_field_and_comes_back_to_the_card(card, staff, browse):
    answer = browse(staff).post(
        at(card, "update", "name"), {"name": "Ash kitchen", "was-name": "Oak kitchen"}, follow=True
    )
    assert answer.redirect_chain == [(at(card), 302)]
    assert "Renamed to Ash kitchen" in text_of(answer)
    assert fresh(card).name == "Ash kitchen"


def test_with_htmx_the_answer_is_the_part_the_tile_the_history_and_a_toast_with_undo(card, staff, browse):
    sent = {"name": "Ash kitchen", "was-name": "Oak kitchen"}
    page = text_of(browse(staff).post(at(card, "update", "name"), sent, headers=HTMX))
    for piece in ("card-name-part", "card-activity"):
        assert re.search(rf'id="{piece}"[^>]*hx-swap-oob="true"', page), piece
    assert re.search(rf'<article [^>]*id="card-{card.number}"', page), "the tile on the board"
    event = Event.objects.about(card).first()
    assert reverse("undo", args=["brightside", event.sequence]) in page
    assert "Oak kitchen</bdi> → <bdi>Ash kitchen" in page


@pytest.mark.parametrize(
    ("part", "sent", "kept"),
    [
        ("description", {"description": "Two\r\nlines"}, {"description": "Two\nlines"}),
        ("source", {"source": "Fair"}, {"source": "Fair"}),
        ("value", {"value": "1.950,50"}, {"value": 195050}),
        ("value", {"value": ""}, {"value": None}),
        (
            "due",
            {"due_date": "2026-11-25", "due_time": "17:00"},
            {"due_date": dt.date(2026, 11, 25), "due_time": dt.time(17)},
        ),
        ("due", {"due_date": "1900-01-01", "due_time": ""}, {"due_date": dt.date(1900, 1, 1), "due_time": None}),
        ("due", {"due_date": "9999-12-31", "due_time": ""}, {"due_date": dt.date(9999, 12, 31)}),
    ],
)
def test_each_part_keeps_what_was_sent(card, staff, browse, part, sent, kept):
    answer = browse(staff).post(at(card, "update", part), sent, headers=HTMX)
    assert answer.status_code == 200
    assert {key: getattr(fresh(card), key) for key in kept} == kept
    assert browse(staff).get(at(card)).status_code == 200


@pytest.mark.parametrize(
    ("part", "sent", "says"),
    [
        ("name", {"name": "  "}, "Give the card a name."),
        ("name", {"name": "x" * 10_000}, "At most 300 characters fit here; this has 10000."),
        ("description", {"description": "x" * 20_001}, "At most 20000 characters fit here; this has 20001."),
        ("value", {"value": "1.950"}, "1.950 could mean 1950 or 1.95."),
        ("value", {"value": "-5"}, "A value cannot be less than nothing."),
        ("value", {"value": "lots"}, "Write an amount"),
        ("due", {"due_date": "31.12.2026"}, "Choose a day, such as 2026-11-25."),
        ("due", {"due_date": "2026-02-30"}, "Choose a day, such as 2026-11-25."),
        ("due", {"due_date": "", "due_time": "17:00"}, "Choose a day as well."),
        ("source", {"source": "x" * 101}, "At most 100 characters fit here; this has 101."),
        ("name", {"name": "a\x00b"}, "ull character"),
    ],
)
@pytest.mark.parametrize("headers", [HTMX, {}], ids=["htmx", "plain"])
def test_bad_input_is_refused_at_its_field_and_kept(card, staff, browse, part, sent, says, headers):
    before = Event.objects.about(card).count()
    answer = browse(staff).post(at(card, "update", part), sent, headers=headers)
    page = text_of(answer)
    assert answer.status_code == 422
    assert says in page
    assert 'aria-invalid="true"' in page
    typed = next(iter(sent.values()))
    assert typed.strip("\x00 ")[:50] in page
    assert Event.objects.about(card).count() == before


def test_a_name_that_somebody_changed_meanwhile_shows_both_and_is_saved_at_the_second_try(card, staff, manager, browse):
    card.update(name="Priya's kitchen", by=actor(manager))
    sent = {"name": "My kitchen", "was-name": "Oak kitchen"}
    answer = browse(staff).post(at(card, "update", "name"), sent, headers=HTMX)
    page = text_of(answer)
    assert answer.status_code == 409
    assert "Priya Nair changed the name to “Priya's kitchen”" in page
    assert "My kitchen</textarea>" in page
    assert fresh(card).name == "Priya's kitchen"
    was = re.search(r'name="was-name" value="([^"]*)"', page)[1]
    browse(staff).post(at(card, "update", "name"), {"name": "My kitchen", "was-name": was}, headers=HTMX)
    assert fresh(card).name == "My kitchen"


@pytest.mark.parametrize(
    ("part", "changes", "theirs"),
    [
        ("due", {"due_date": dt.date(2026, 5, 1), "due_time": dt.time(9, 5)}, {"due_date": dt.date(2026, 5, 2)}),
        ("value", {"value": 195050}, {"value": 1}),
        ("description", {"description": "One\n\nTwo  \n- x"}, {"description": "Other"}),
        ("source", {"source": 'Say "hi" & <b>'}, {"source": "Other"}),
    ],
)
def test_what_the_page_shows_comes_back_as_seen(card, staff, manager, browse, part, changes, theirs):
    card.update(**changes, by=actor(manager))
    page = browse(staff).get(at(card)).content.decode()
    form = re.search(rf'<form[^>]*action="{at(card, "update", part)}".*?</form>', page, re.S)[0]
    seen = {name: unescape(value) for name, value in re.findall(r'name="(was-\w+)" value="([^"]*)"', form)}
    sent = {name.removeprefix("was-"): value.replace("\n", "\r\n") for name, value in seen.items()} | seen
    assert browse(staff).post(at(card, "update", part), sent, headers=HTMX).status_code == 200
    assert {key: getattr(fresh(card), key) for key in changes} == changes, "sending it back changed it"
    fresh(card).update(**theirs, by=actor(manager))
    first = next(iter(changes))
    sent[first] = {"due_date": "2026-06-01", "value": "77"}.get(first, "Mine")
    assert browse(staff).post(at(card, "update", part), sent, headers=HTMX).status_code == 409


def test_a_part_that_does_not_exist_is_not_found(card, staff, browse):
    assert browse(staff).post(at(card, "update", "rank"), {"rank": "a0"}).status_code == 404


def test_saving_what_is_there_is_no_news(card, staff, browse):
    before = Event.objects.about(card).count()
    answer = browse(staff).post(
        at(card, "update", "name"), {"name": "Oak kitchen ", "was-name": "Oak kitchen"}, headers=HTMX
    )
    assert answer.status_code == 200
    assert "toast-note" not in text_of(answer)
    assert Event.objects.about(card).count() == before


# Contact ----------------------------------------------------------------------------------------------


def test_a_contact_is_chosen_made_on_the_fly_and_taken_off(card, staff, browse):
    ines = make_contact(card.business)
    post = lambda **sent: browse(staff).post(at(card, "update", "contact"), sent, headers=HTMX)  # noqa: E731
    post(contact=str(ines.pk))
    assert fresh(card).contact == ines
    post(q="Nadia Osei")
    assert fresh(card).contact.name == "Nadia Osei"
    post(clear="1", q="")
    assert fresh(card).contact is None


def test_a_contact_of_another_business_is_refused(card, staff, stranger, browse):
    theirs = make_contact(stranger.business)
    answer = browse(staff).post(at(card, "update", "contact"), {"contact": str(theirs.pk)}, headers=HTMX)
    assert answer.status_code == 422
    assert fresh(card).contact is None


def test_two_contacts_of_one_name_are_not_guessed_and_the_name_is_kept(card, staff, browse):
    for _ in range(2):
        make_contact(card.business)
    answer = browse(staff).post(at(card, "update", "contact"), {"q": "Ines Brunet"}, headers=HTMX)
    assert answer.status_code == 422
    assert "Several contacts match Ines Brunet" in text_of(answer)
    assert 'value="Ines Brunet"' in text_of(answer)


# People -----------------------------------------------------------------------------------------------


def test_assigning_keeps_what_a_colleague_did_meanwhile(card, staff, manager, owner, browse):
    card.assign([manager], by=actor(owner))
    card.assign([manager, owner], by=actor(owner))
    sent = {"was": [manager.pk], "members": [manager.pk, staff.pk]}
    browse(staff).post(at(card, "assign"), sent, headers=HTMX)
    assert set(fresh(card).assignments.values_list("member", flat=True)) == {manager.pk, owner.pk, staff.pk}
    browse(staff).post(at(card, "assign"), {"was": [manager.pk], "members": []}, headers=HTMX)
    assert set(fresh(card).assignments.values_list("member", flat=True)) == {owner.pk, staff.pk}


@pytest.mark.parametrize("who", ["foreign", "00000000-0000-0000-0000-000000000000", "nonsense"])
def test_only_members_can_be_assigned(card, staff, stranger, browse, who):
    who = stranger.pk if who == "foreign" else who
    assert browse(staff).post(at(card, "assign"), {"members": [who]}, headers=HTMX).status_code == 422
    assert not fresh(card).assignments.exists()


# Labels -----------------------------------------------------------------------------------------------


def test_labels_are_put_on_and_taken_off(card, staff, browse):
    label = card.workflow.labels.first()
    browse(staff).post(at(card, "add_label"), {"label": label.pk}, headers=HTMX)
    assert list(fresh(card).labels.all()) == [label]
    browse(staff).post(at(card, "remove_label"), {"label": label.pk}, headers=HTMX)
    assert not fresh(card).labels.exists()


def test_a_label_is_made_and_coloured_in_place(card, staff, browse):
    create = reverse("label_create", args=["brightside", card.number])
    page = text_of(browse(staff).post(create, {"name": "Kitchen", "tint": "3"}, headers=HTMX))
    label = fresh(card).labels.get()
    assert (label.name, label.tint) == ("Kitchen", 3)
    assert '<li class="label h-3">Kitchen</li>' in page
    update = at(card, "label_update", label.pk)
    assert update in text_of(browse(staff).get(f"{at(card)}?label={label.pk}"))
    browse(staff).post(update, {"name": "Kitchens", "tint": "5"}, headers=HTMX)
    label.refresh_from_db()
    assert (label.name, label.tint) == ("Kitchens", 5)


@pytest.mark.parametrize("sent", [{"name": "Rush", "tint": "1"}, {"name": "", "tint": "1"}, {"name": "x", "tint": "9"}])
def test_a_label_that_cannot_be_made_says_why_and_keeps_what_was_typed(card, staff, browse, sent):
    answer = browse(staff).post(reverse("label_create", args=["brightside", card.number]), sent, headers=HTMX)
    assert answer.status_code == 422
    assert 'class="error"' in text_of(answer)
    assert not fresh(card).labels.exists()


@pytest.mark.parametrize("which", ["other_workflow", "foreign", "nonsense"])
def test_a_label_of_elsewhere_is_not_found(card, staff, other_card, browse, which):
    elsewhere = make_workflow(card.business, name="Repairs", starter="repair").labels.first()
    label = {"other_workflow": elsewhere.pk, "foreign": other_card.workflow.labels.first().pk}.get(which, which)
    assert browse(staff).post(at(card, "add_label"), {"label": label}, headers=HTMX).status_code == 404


# Checklist --------------------------------------------------------------------------------------------


def test_several_pasted_lines_become_several_items(card, staff, browse):
    page = text_of(browse(staff).post(at(card, "add_item"), {"text": "Measure\r\nSaw\n\nOil"}, headers=HTMX))
    assert [item.text for item in fresh(card).items.all()] == ["Measure", "Saw", "Oil"]
    assert "0 of 3" in page


def test_a_line_is_ticked_renamed_and_removed(card, staff, browse):
    item = Item.add(card, "Measure", by=actor(staff))
    page = text_of(browse(staff).post(at(card, "tick_item", item.pk), {"done": "1"}, headers=HTMX))
    assert "1 of 1" in page
    assert fresh(card).done_count == 1
    browse(staff).post(at(card, "tick_item", item.pk), {}, headers=HTMX)
    assert fresh(card).done_count == 0
    browse(staff).post(at(card, "rename_item", item.pk), {"text": "Measure twice"}, headers=HTMX)
    assert fresh(card).items.get().text == "Measure twice"
    page = text_of(browse(staff).post(at(card, "remove_item", item.pk), headers=HTMX))
    assert not fresh(card).items.exists()
    assert "/undo/" in page


def test_a_line_too_long_is_kept_in_the_box_and_no_line_is_added(card, staff, browse):
    answer = browse(staff).post(at(card, "add_item"), {"text": "Short\n" + "x" * 301}, headers=HTMX)
    assert answer.status_code == 422
    assert "Short\n" + "x" * 301 in text_of(answer)
    assert not fresh(card).items.exists()


def test_a_line_of_elsewhere_is_not_found(card, staff, other_card, browse):
    mine, theirs = Item.add(make_card(card.phase), "Mine", by=actor(staff)), other_card.items.get()
    for item in (mine, theirs):
        for verb in ("tick_item", "rename_item", "remove_item"):
            assert browse(staff).post(at(card, verb, item.pk), {"done": "1", "text": "x"}).status_code == 404


# Comments ---------------------------------------------------------------------------------------------


def test_a_comment_is_written_with_its_mentions_marked(card, staff, manager, browse):
    text = "Hi @Priya and `@Priya`, **look**\nmail priya@brightside.test"
    page = text_of(browse(staff).post(at(card, "comment"), {"text": text}, headers=HTMX))
    assert page.count('<span class="mention">@Priya</span>') == 1
    assert "<code>@Priya</code>" in page
    assert "<strong>look</strong>" in page
    assert fresh(card).comment_count == 1


def test_sending_a_comment_twice_says_it_once(card, staff, browse):
    for _ in range(2):
        assert browse(staff).post(at(card, "comment"), {"text": "Called."}, headers=HTMX).status_code == 200
    assert fresh(card).comment_count == 1


def test_own_comments_are_changed_and_deleted_those_of_others_are_not(card, staff, owner, browse):
    mine, theirs = (Comment.write(card, f"By {who}", by=actor(who)) for who in (staff, owner))
    verbs = {verb: f"comment_{verb}" for verb in ("update", "delete")}
    page = text_of(browse(staff).get(at(card)))
    for comment, is_mine in ((mine, True), (theirs, False)):
        address = reverse(verbs["update"], args=["brightside", card.number, comment.pk])
        assert (address in page) is is_mine
        answer = browse(staff).post(address, {"text": "Changed"}, headers=HTMX)
        assert answer.status_code == (200 if is_mine else 422)
    assert {c.text for c in card.comments.all()} == {"Changed", "By Maren Holt"}
    for comment in (mine, theirs):
        browse(staff).post(reverse(verbs["delete"], args=["brightside", card.number, comment.pk]), headers=HTMX)
    assert [c.text for c in card.comments.all()] == ["By Maren Holt"]
    page = text_of(browse(staff).get(at(card)))
    assert "deleted a comment" in page
    assert "By Tomás" not in page


def test_a_comment_of_elsewhere_is_not_found(card, staff, other_card, browse):
    for comment in (Comment.write(make_card(card.phase), "x", by=actor(staff)), other_card.comments.get()):
        for verb in ("comment_update", "comment_delete"):
            address = reverse(verb, args=["brightside", card.number, comment.pk])
            assert browse(staff).post(address, {"text": "y"}).status_code == 404


@pytest.mark.parametrize("headers", [HTMX, {}], ids=["htmx", "plain"])
def test_a_comment_too_long_is_kept_in_the_box(card, staff, browse, headers):
    answer = browse(staff).post(at(card, "comment"), {"text": "y" * 10_001}, headers=headers)
    assert answer.status_code == 422
    assert "y" * 10_001 in text_of(answer)


def test_mentions_are_marked_in_words_only(staff, manager):
    mark = _marker([staff, manager])
    inside = '<a href="https://x.test/@Tomás" title="a > @Tomás">@Tomás</a> @Tomás'
    assert mark(inside).count('class="mention"') == 1
    assert mark(inside).startswith(inside.removesuffix(" @Tomás"))


# History ----------------------------------------------------------------------------------------------


def test_the_history_is_told_newest_first_and_older_things_on_demand(card, staff, browse):
    first = Comment.write(card, "The very first words", by=actor(staff))
    for number in range(MOST_EVENTS + 3):
        card.update(source=f"Source {number}", by=actor(staff))
    page = text_of(browse(staff).get(at(card)))
    assert first.text not in page
    older = re.search(r'hx-get="([^"]*older/\?before=\d+)"', page)[1]
    rest = text_of(browse(staff).get(older, headers=HTMX))
    assert first.text in rest
    assert "created this card in Customer contacted me" in rest
    assert "<html" not in rest
    assert first.text in text_of(browse(staff).get(older)), "without htmx the page shows it"


def test_lines_pasted_at_once_are_told_in_one_line(card, staff, manager, browse):
    Item.add_many(card, ["Measure", "Saw", "Oil"], by=actor(staff))
    Item.add(card, "Deliver", by=actor(manager))
    page = text_of(browse(staff).get(at(card)))
    assert "</b> added “Oil” to the checklist and 2 more." in page
    assert "</b> added “Deliver” to the checklist." in page


@pytest.mark.parametrize("before", ["", "x", "-1", "9" * 40, "1.5"])
def test_a_moment_that_makes_no_sense_is_not_found(card, staff, browse, before):
    assert browse(staff).get(at(card, "older"), {"before": before}).status_code == 404


# Archive ----------------------------------------------------------------------------------------------


def test_an_archived_card_is_read_only_until_it_is_restored(card, staff, browse):
    page = text_of(browse(staff).post(at(card, "archive"), {"revision": card.revision}, headers=HTMX))
    assert "This card is archived." in page
    assert re.search(rf'<article id="card-{card.number}"[^>]* data-gone', page)
    page = text_of(browse(staff).get(at(card), headers={**HTMX, "HX-Target": "panel"}))
    assert page.count("<form") == 1, "only Restore can be pressed"
    answer = browse(staff).post(at(card, "update", "name"), {"name": "New", "was-name": "Oak kitchen"}, headers=HTMX)
    assert answer.status_code == 422
    assert "Oak kitchen is archived. Restore it first." in text_of(answer)
    page = text_of(browse(staff).post(at(card, "restore"), headers=HTMX))
    assert "Oak kitchen is back on the board" in page
    assert fresh(card).archived_at is None


def test_archiving_a_card_that_was_moved_meanwhile_is_refused(card, staff, manager, workflow, browse):
    seen = card.revision
    card.move(workflow.phases.all()[2], by=actor(manager))
    answer = browse(staff).post(at(card, "archive"), {"revision": seen}, headers=HTMX)
    assert answer.status_code == 409
    assert "Priya Nair moved it to" in text_of(answer)
    assert fresh(card).archived_at is None


def test_only_who_may_delete_finds_the_way_to_it(card, staff, manager, browse):
    card.archive(by=actor(staff))
    way = reverse("archive_delete", args=["brightside", card.workflow.slug, card.number])
    assert way not in text_of(browse(staff).get(at(card)))
    assert way in text_of(browse(manager).get(at(card)))


def test_on_an_archived_board_a_card_is_read_only(card, staff, manager, browse):
    card.workflow.archive(by=actor(manager))
    page = text_of(browse(staff).get(at(card), headers={**HTMX, "HX-Target": "panel"}))
    assert "Lead funnel is archived" in page
    assert "<form" not in page


# Walls ------------------------------------------------------------------------------------------------

FORMS = {
    "update": ("name",),
    "assign": (),
    "add_label": (),
    "remove_label": (),
    "add_item": (),
    "comment": (),
    "archive": (),
    "restore": (),
}


@pytest.mark.parametrize("verb", FORMS)
def test_viewers_strangers_and_get_change_nothing(card, viewer, stranger, staff, browse, verb):
    before = Event.objects.about(card).count()
    sent = {"name": "x", "text": "x", "label": card.workflow.labels.first().pk}
    address = at(card, verb, *FORMS[verb])
    assert browse(viewer).post(address, sent).status_code == 403
    assert browse(stranger).post(address, sent).status_code == 404
    assert browse(staff).get(address).status_code == 405
    assert Event.objects.about(card).count() == before


def test_a_session_that_ended_is_sent_to_sign_in_and_back_to_the_card(card, client):
    headers = {**HTMX, "HX-Current-URL": f"http://testserver{at(card)}"}
    answer = client.post(at(card, "comment"), {"text": "x"}, headers=headers)
    assert answer.status_code == 401
    assert at(card) in answer["HX-Redirect"]


# Moving beside the panel ------------------------------------------------------------------------------


def test_a_move_from_the_panel_redraws_the_panel_and_one_from_the_board_does_not(card, staff, workflow, browse):
    move = reverse("card_move", args=["brightside", card.number])
    phases = list(workflow.phases.all())
    here = {**HTMX, "HX-Current-URL": f"http://testserver{at(card)}?x=1#move"}
    page = text_of(browse(staff).post(move, {"phase": phases[1].pk, "revision": card.revision}, headers=here))
    assert 'id="card-track" hx-swap-oob="true" aria-label="Phase 2 of 6' in page
    page = text_of(browse(staff).post(move, {"phase": phases[2].pk}, headers=HTMX))
    assert "card-track" not in page


# Queries ----------------------------------------------------------------------------------------------


def test_a_card_with_much_on_it_costs_no_more_queries(card, staff, owner, browse):
    def cost():
        client = browse(staff)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(at(card), headers={**HTMX, "HX-Target": "panel"}).status_code == 200
        return len(queries)

    Comment.write(card, "One", by=actor(staff))
    card.update(contact=make_contact(card.business), by=actor(staff))
    card.assign([staff], by=actor(owner))
    Item.add(card, "One", by=actor(staff))
    little = cost()
    people = [join(card.business, "staff", name=f"Person {number}") for number in range(6)]
    card.assign(people, by=actor(owner))
    for number in range(60):
        label = Label.create(card.workflow, name=f"Label {number}", tint=1 + number % 8, by=actor(owner))
        card.add_label(label, by=actor(people[number % 6]))
        Item.add(card, f"Line {number}", by=actor(staff))
    for number in range(60):
        Comment.write(card, f"Words {number} @Person", by=actor(people[number % 6]))
    assert cost() == little
    assert little <= 20
