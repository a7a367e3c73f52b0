"""Mail templates say what they should, and cannot be made to say anything else, or to go on for ever."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError

from automations.letters import LONGEST, MOST_WORDS, as_html, check, render, seen
from automations.starters import LETTERS

FACTS = {
    "customer": {"name": "Ines Brunet", "given_name": "Ines"},
    "card": {
        "name": "Oak table",
        "labels": ["Rush", "Oak"],
        "amount": 1950,
        "fields": {"wood": "Ash"},
        "due_date": None,
    },
    "business": {"name": "Brightside"},
    "today": dt.date(2026, 11, 20),
}

ENDLESS = [
    "{{ (1..3000000) | join: '' | size }}",
    "{% for i in (1..100000000) %}{% endfor %}",
    "{% for a in card.labels %}{% for b in card.labels %}{% for c in card.labels %}x{% endfor %}{% endfor %}{% endfor %}",
    "{% assign x = 9 | times: 9 %}",
    "{{ card.name | replace: 'a', 'aaaaaaaaaaaa' }}",
    "{{ card.name | append: card.name }}",
    "{% capture x %}{{ card.name }}{% endcapture %}",
    "{% include 'other' %}",
    "{% render 'other' %}",
    "{{ " + "9" * 9000 + " }}",
    "{{" + "[" * 4000 + "}}",
    "{% if true %}" * 40 + "{% endif %}" * 40,
    "x" * (LONGEST + 1),
]


@pytest.mark.parametrize(("_key", "_name", "subject", "body"), LETTERS)
def test_the_letters_to_begin_with_are_sound_also_when_nothing_is_known(_key, _name, subject, body):
    check(subject)
    check(body)
    assert render(subject, FACTS)
    assert "None" not in render(body, {"business": {"name": "Brightside"}})


def write(source, facts):
    """Do what happens to a template from its form to a mail."""
    check(source)
    return render(source, facts)


def test_facts_are_said_as_people_say_them():
    said = render(
        "{{ card.name }}, {{ today }}, {{ card.labels | join }}{{ card.due_date }}, {{ card.fields.wood }}", FACTS
    )
    assert said == "Oak table, 20 November 2026, Rush, Oak, Ash"


def test_conditions_and_loops_are_kept():
    said = render("{% if card.amount > 1000 %}big{% endif %}{% for l in card.labels %} {{ l }}{% endfor %}", FACTS)
    assert said == "big Rush Oak"


def test_a_day_can_be_written_another_way_but_not_at_any_length():
    assert render("{{ today | date: '%d/%m/%Y' }}", FACTS) == "20/11/2026"
    assert len(render("{{ today | date: '%99999999d' }}", FACTS)) < 50


@pytest.mark.parametrize("name", ["card.colour", "customer.__class__", "settings.SECRET_KEY", "request", "card.fields"])
def test_a_name_that_is_not_on_the_list_is_refused_when_it_is_written(name):
    if name == "card.fields":
        return check("{{ card.fields.anything }}")
    with pytest.raises(ValidationError, match="There is no"):
        check(f"{{{{ {name} }}}}")
    return None


@pytest.mark.parametrize("source", ["{% if %}", "{{ card.name", "{% for %}", "{% endif %}", "{{ card.name | fly }}"])
def test_what_cannot_be_read_is_refused_in_words(source):
    with pytest.raises(ValidationError) as refusal:
        check(source)
    assert refusal.value.messages[0].endswith(".")


@pytest.mark.parametrize("source", ENDLESS, ids=[source[:30] for source in ENDLESS])
def test_nothing_can_be_made_endless(source):
    many = FACTS | {"card": FACTS["card"] | {"labels": ["label"] * 100}}
    with pytest.raises(ValidationError):
        write(source, many)


@pytest.mark.parametrize("three", ["{{ card.name | upcase | downcase }}", "{{ card.name | size }}{{ card.number }}"])
def test_names_and_filters_are_counted_for_a_loop_repeats_them_all(three):
    few = MOST_WORDS // 3
    assert write(three * few, FACTS)
    with pytest.raises(ValidationError, match="names and filters"):
        write(three * (few + 1), FACTS)


def test_no_letter_is_longer_than_a_letter():
    with pytest.raises(ValidationError):
        render("{{ card.name }}" * 500, {"card": {"name": "x" * 300}})


def test_what_people_typed_is_never_markup():
    typed = "**Hurry** [pay here](https://evil.example) <b>now</b> <script>alert(1)</script>\n# Big"
    html = as_html("Dear {{ customer.name }}, *thank you*", {"customer": {"name": typed}})
    assert "<em>thank you</em>" in html
    assert "<strong>" not in html
    assert "<script>" not in html
    assert "<h" not in seen(html)
    assert ">pay here<" not in html


def test_what_the_template_says_is_markup():
    html = as_html("# Hello\n\n[Our shop](https://shop.example)", {})
    assert '<a href="https://shop.example"' in html


def test_the_text_is_plain():
    assert render("{{ customer.name }}", {"customer": {"name": "O'Neil & Sons <x>"}}) == "O'Neil & Sons <x>"
