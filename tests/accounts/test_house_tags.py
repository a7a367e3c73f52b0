"""The template words: icons, people, moons, money, days and form fields."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django import forms
from django.template import Context, Template
from django.utils import timezone

from accounts.templatetags import house

NOON = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)


def draw(source: str, **context) -> str:
    return Template(source).render(Context(context))


# Icons and moons


def test_an_icon_points_into_the_sprite_and_is_hidden_from_screen_readers():
    drawn = draw('{% icon "clock" %}')
    assert 'aria-hidden="true"' in drawn
    assert 'icons.svg#i-clock"' in drawn


def test_an_icon_is_drawn_once_and_then_remembered():
    assert house.icon("clock") is house.icon("clock")


def test_an_icon_name_cannot_break_out_of_its_attribute():
    assert "<script" not in house.icon('x"><script>')


@pytest.mark.parametrize(
    ("index", "phases", "full"), [(0, 6, 0), (1, 6, 2), (3, 6, 6), (5, 6, 10), (0, 1, 10), (9, 6, 10)]
)
def test_the_moon_waxes_from_the_first_phase_to_the_win(index, phases, full):
    assert house.moon(index, phases) == full


def test_a_disc_takes_a_number_a_word_or_a_phase():
    assert draw("{% disc 4 %}") == '<span class="disc p-4"></span>'
    assert draw('{% disc "off" size="lg" %}') == '<span class="disc disc--lg p-off"></span>'
    assert draw("{% disc phase %}", phase=SimpleNamespace(moon=7)) == '<span class="disc p-7"></span>'


# People


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Maren Holt", "MH"),
        ("Crust & Co.", "CC"),
        ("Rowan & Tess", "RT"),
        ("maren", "M"),
        ("Dr. Marek Novák", "DN"),
        ("élodie Ångström", "ÉÅ"),
        ("e\u0301lodie", "É"),
        ("🦊 Fox Ltd", "FL"),
        ("🦊", "🦊"),
        ("👩‍👧‍👦 🎉", "👩‍👧‍👦"),
        ("👍🏽", "👍🏽"),
        ("🇳🇱", "🇳🇱"),
        ("فاطمة رحمن", "ف\u200cر"),
        ("דנה לוי", "דל"),
        ("山田 太郎", "山太"),
        ("(7) seven", "7S"),
        ("straße", "S"),
        ("ßharp", "ß"),
        ("  ", "?"),
        ("", "?"),
        (None, "?"),
        ("---", "?"),
        ("x" * 10_000, "X"),
    ],
)
def test_initials_of_names_in_any_script(name, said):
    assert house.initials(name) == said


def test_staff_are_soft_squares_and_customers_are_circles():
    user = SimpleNamespace(pk=1, name="Maren Holt", check_password=None)
    contact = SimpleNamespace(pk="c", name="Nadia Osei")
    assert "avatar--staff" in house.avatar(user)
    assert "avatar--staff" in house.avatar(SimpleNamespace(pk=9, user=user))
    assert "avatar--staff" not in house.avatar(contact)
    assert "avatar--staff" not in house.avatar({"id": "c", "name": "Nadia Osei"})
    assert "avatar--staff" in house.avatar({"id": "c", "name": "Jonas Weber"}, staff=True)


def test_an_avatar_says_the_name_unless_it_stands_beside_it():
    contact = SimpleNamespace(pk="c", name="Nadia Osei")
    assert '<span class="visually-hidden">Nadia Osei</span>' in house.avatar(contact)
    assert "Nadia" not in house.avatar(contact, bare=True)


def test_nobody_has_an_avatar_too():
    assert "Nobody" in house.avatar(None)


def test_an_avatar_escapes_the_name():
    assert "<b>" not in house.avatar(SimpleNamespace(pk="c", name='<b>"x"</b>'))


def test_a_member_keeps_the_tint_of_the_person():
    user = SimpleNamespace(pk=41, name="Priya Nair", check_password=None)
    assert house.avatar(SimpleNamespace(pk=9, user=user)) == house.avatar(user)


def test_tints_are_stable_and_within_the_eight():
    assert {house.tint(number) for number in range(200)} == set(range(1, 9))
    assert house.tint("a") == house.tint("a")


# Money and days


@pytest.mark.parametrize(
    ("minor", "currency", "said"),
    [
        (195000, "EUR", "€1,950"),
        (195050, "EUR", "€1,950.50"),
        (0, "EUR", "€0"),
        (-1250, "USD", "-$12.50"),
        (1950, "JPY", "¥1,950"),
        (1950, "eur", "€19.50"),
        (None, "EUR", ""),
        ("", "EUR", ""),
        (10**17 + 1, "EUR", "€1,000,000,000,000,000.01"),
        (100000, "PLN", "PLN\xa01,000"),
    ],
)
def test_money(minor, currency, said):
    assert house.money(minor, currency) == said


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (date(2026, 11, 20), "Today"),
        (date(2026, 11, 21), "Tomorrow"),
        (date(2026, 11, 19), "Yesterday"),
        (date(2026, 11, 25), "25 Nov"),
        (date(2027, 1, 3), "3 Jan 2027"),
        (date(1900, 1, 1), "1 Jan 1900"),
        (date(9999, 12, 31), "31 Dec 9999"),
        (None, ""),
    ],
)
@time_machine.travel(NOON, tick=False)
def test_days_as_people_say_them(moment, said):
    assert house.day(moment) == said


@time_machine.travel(datetime(2026, 11, 20, 23, 30, tzinfo=UTC), tick=False)
def test_a_day_is_the_business_s_day():
    moment = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
    with timezone.override(ZoneInfo("UTC")):
        assert house.day(moment) == "Today"
    with timezone.override(ZoneInfo("Europe/Berlin")):
        assert house.day(moment) == "Yesterday"


def test_the_ends_of_the_calendar_do_not_break_a_page():
    with timezone.override(ZoneInfo("Pacific/Auckland")):
        assert house.day(datetime.max.replace(tzinfo=UTC)) == "31 Dec 9999"
        assert house.clock(datetime.max.replace(tzinfo=UTC)) == "23:59"
    with timezone.override(ZoneInfo("America/New_York")):
        assert house.day(datetime.min.replace(tzinfo=UTC)) == "1 Jan 1"


@pytest.mark.parametrize(
    ("back", "said"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=3), "3 h ago"),
        (timedelta(days=1), "Yesterday, 11:00"),
        (timedelta(days=9), "11 Nov"),
    ],
)
@time_machine.travel(NOON, tick=False)
def test_how_long_ago(back, said):
    with timezone.override(ZoneInfo("UTC")):
        assert house.ago(NOON - back) == said


@time_machine.travel(NOON, tick=False)
def test_a_moment_is_written_for_machines_too():
    with timezone.override(ZoneInfo("Europe/Berlin")):
        drawn = house.when(NOON)
    assert 'datetime="2026-11-20T11:00:00+00:00"' in drawn
    assert 'title="2026-11-20 12:00"' in drawn


# Forms


class Enquiry(forms.Form):
    """A form with one of each control."""

    name = forms.CharField(help_text="Shown on the card")
    notes = forms.CharField(widget=forms.Textarea, required=False)
    urgent = forms.BooleanField(required=False, label="It is urgent")
    turn = forms.ChoiceField(choices=[("us", "Us"), ("them", "Them")], widget=forms.RadioSelect)
    revision = forms.IntegerField(widget=forms.HiddenInput)

    def clean(self):
        """Refuse everything, for the tests."""
        raise forms.ValidationError("Nothing fits today.")


def test_a_field_ties_label_control_and_help():
    drawn = draw("{% field form.name %}", form=Enquiry())
    assert '<label for="id_name">Name</label>' in drawn
    assert 'aria-describedby="id_name_helptext"' in drawn
    assert 'class="input"' in drawn
    assert "aria-invalid" not in drawn


def test_a_wrong_field_says_what_to_do_and_keeps_what_was_typed():
    form = Enquiry({"name": "", "notes": "<script>", "revision": "1"})
    wrong, kept = draw("{% field form.name %}", form=form), draw("{% field form.notes %}", form=form)
    assert 'aria-invalid="true"' in wrong
    assert 'aria-describedby="id_name_helptext id_name_error"' in wrong
    assert '<p class="error" id="id_name_error">' in wrong
    assert "&lt;script&gt;" in kept


def test_checks_and_radios_have_their_own_shape():
    assert "check--plain" in draw("{% field form.urgent %}", form=Enquiry())
    drawn = draw("{% field form.turn %}", form=Enquiry())
    assert "<fieldset" in drawn
    assert "<legend>Turn</legend>" in drawn
    assert drawn.count('type="radio"') == 2
    assert "&lt;" not in drawn


def test_a_hidden_field_is_only_itself_and_a_missing_one_is_nothing():
    assert draw("{% field form.revision %}", form=Enquiry()).startswith('<input type="hidden"')
    assert draw("{% field form.nope %}", form=Enquiry()) == ""


def test_attributes_reach_the_control():
    drawn = draw('{% field form.name hx_get="/x/" autofocus=True label="Full name" hint="" %}', form=Enquiry())
    assert 'hx-get="/x/"' in drawn
    assert "autofocus" in drawn
    assert ">Full name<" in drawn
    assert "hint" not in drawn


def test_several_fields_at_once():
    drawn = draw('{% fields form "name" "nope" "notes" %}', form=Enquiry())
    assert drawn.count('<div class="field">') == 2
    assert "id_name" not in draw('{% fields_but form "name" %}', form=Enquiry())


def test_the_summary_links_to_each_wrong_field():
    drawn = draw("{% errors form %}", form=Enquiry({}))
    assert '<a class="link" href="#id_name">Name</a>' in drawn
    assert "Nothing fits today." in drawn
    assert "&lt;li" not in drawn


def test_a_message_may_offer_to_undo():
    assert house.undo_sequence("win undo-12 success") == "12"
    assert house.undo_sequence("success") == ""
    assert house.undo_sequence(None) == ""


def test_there_is_no_summary_when_all_is_well():
    assert draw("{% errors form %}", form=Enquiry()) == ""
    assert draw("{% errors form %}") == ""


@pytest.mark.parametrize(
    ("said", "drawn"),
    [
        ("moved this", "moved this."),
        ("commented: Doors this afternoon.", "commented: Doors this afternoon."),
        ("commented: shall I book Jonas?", "commented: shall I book Jonas?"),
        ("commented: <b>", "commented: &lt;b&gt;."),
    ],
)
def test_a_sentence_ends_once(said, drawn):
    assert draw("{{ said|stop }}", said=said) == drawn
