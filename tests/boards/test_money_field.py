"""What people type as an amount is read right or refused, never guessed."""

import contextlib

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from accounts.templatetags.house import money
from boards.forms.money import MoneyField, plain, read
from boards.models.card import LARGEST_VALUE


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("0", 0),
        ("1950", 195000),
        ("1950.5", 195050),
        ("1950,5", 195050),
        ("1950.50", 195050),
        ("1950,50", 195050),
        ("1.950,50", 195050),
        ("1,950.50", 195050),
        ("1,950", 195000),
        ("12,345,678", 1234567800),
        ("12.345.678", 1234567800),
        ("12.345.678,9", 1234567890),
        ("1 950,50", 195050),
        ("1\u00a0950,50", 195050),
        ("1\u202f950", 195000),
        ("1'950.50", 195050),
        ("1’950’000.05", 195000005),
        ("€1,950", 195000),
        ("1.950,50 €", 195050),
        ("EUR 1950", 195000),
        ("1950 eur", 195000),
        ("  7  ", 700),
        ("0,5", 50),
        ("0.05", 5),
        ("1950,-", 195000),
        ("1950.--", 195000),
        ("١٩٥٠٫٥", 195050),
        ("007", 700),
    ],
)
def test_both_ways_of_writing_an_amount_are_understood(text, cents):
    assert read(text, "EUR") == cents


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1.950", "ambiguous"),
        ("0.950", "digits"),
        ("0,950", "digits"),
        ("1,95,0", "unclear"),
        ("1.950,50,5", "unclear"),
        ("1,950.50.5", "unclear"),
        ("1950,500.00", "unclear"),
        ("1 9 5 0", "unclear"),
        ("19 50", "unclear"),
        ("1.2345", "digits"),
        ("1950.505", "digits"),
        ("1,950.505", "digits"),
        ("-5", "negative"),
        ("- 5", "negative"),
        ("€-5", "negative"),
        ("12k", "amount"),
        ("5 F", "amount"),
        ("about 100", "amount"),
        ("1e9", "amount"),
        ("½", "amount"),
        ("$5", "amount"),
        ("€", "amount"),
        (".5", "amount"),
        ("<b>5</b>", "amount"),
        ("9" * 30, "too_much"),
        ("9" * 5000, "too_much"),
        (str(LARGEST_VALUE), "too_much"),
    ],
)
def test_what_cannot_be_read_in_one_way_is_refused(text, code):
    with pytest.raises(ValidationError) as refusal:
        read(text, "EUR")
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1950", "JPY", 1950),
        ("1.950", "JPY", 1950),
        ("¥1,950", "JPY", 1950),
        ("1,00,000.50", "INR", 10000050),
        ("₹1,00,000", "INR", 10000000),
        ("1 950 kr", "SEK", 195000),
        ("CHF 1’950.50", "CHF", 195050),
        ("$1,950.50", "USD", 195050),
        ("£5", "GBP", 500),
        ("A$5", "AUD", 500),
        ("$5", "AUD", 500),
    ],
)
def test_a_currency_has_its_own_signs_and_digits(text, currency, minor):
    assert read(text, currency) == minor


def test_a_currency_without_cents_refuses_them():
    with pytest.raises(ValidationError, match="JPY has no digits"):
        read("1950.5", "JPY")


@given(st.integers(0, LARGEST_VALUE), st.sampled_from(["EUR", "JPY", "USD", "INR", "CHF", "SEK"]))
def test_what_we_write_we_can_read(minor, currency):
    assert read(plain(minor, currency), currency) == minor
    assert read(money(minor, currency), currency) == minor


@given(st.text(max_size=30))
def test_nothing_breaks_it(text):
    with contextlib.suppress(ValidationError):
        assert 0 <= read(text, "EUR") <= LARGEST_VALUE


def test_an_empty_field_means_no_value():
    assert MoneyField(required=False).clean("  ") is None


def test_the_input_shows_the_plain_amount():
    assert MoneyField(currency="EUR").prepare_value(195050) == "1950.50"
    assert MoneyField(currency="JPY").prepare_value(1950) == "1950"
    assert MoneyField(currency="EUR").prepare_value("what I typed") == "what I typed"
