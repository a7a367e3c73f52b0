"""Amounts as people type them."""

import re
import unicodedata
from decimal import Decimal

from babel.numbers import get_currency_precision, get_currency_symbol
from django import forms
from django.core.exceptions import ValidationError

from boards.models.card import LARGEST_VALUE

GROUPS = "'’ʼ"  # between thousands, beside spaces, in Switzerland and elsewhere
EASTERN = str.maketrans({"٫": ".", "٬": "’", "。": ".", "，": ",", "．": ".", "−": "-"})
# Three by three as most of the world counts, or lakhs and crores as India does.
GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+|\d{1,2}(?:,\d{2})+,\d{3}")


class MoneyField(forms.CharField):
    """An amount in a currency, kept in its smallest unit: "1.950,50" and "1,950.50" are both 195050 cents of a euro.

    What could be read in two ways is refused, never guessed.
    """

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})

    def __init__(self, *, currency: str = "EUR", **options):
        super().__init__(**options)
        self.currency = currency

    def to_python(self, value):
        """Return the amount in minor units, or None when nothing was typed; raises ValidationError in words."""
        text = super().to_python(value)
        return None if text in self.empty_values else read(text, self.currency)

    def prepare_value(self, value):
        """Return an amount as it stands in the input: 195050 → 1950.50, 195000 → 1950."""
        return plain(value, self.currency) if isinstance(value, int) else value


def plain(minor: int, currency: str) -> str:
    """Write an amount without signs, so that reading it back gives the same."""
    digits = get_currency_precision(currency)
    return str(minor // 10**digits) if minor % 10**digits == 0 else f"{Decimal(minor).scaleb(-digits):f}"


def read(text: str, currency: str) -> int:
    """Return what was typed in minor units of the currency; raises ValidationError in words."""
    digits = get_currency_precision(currency)
    number = _without_currency(_western(text), currency)
    if number.startswith("-"):
        raise ValidationError("A value cannot be less than nothing.", code="negative")
    if not re.fullmatch(r"\d[\d.,’]*", number):
        raise ValidationError(f"Write an amount, such as {_example(digits)}.", code="amount")
    whole, cents = _split(number, digits)
    if len(cents) > digits:
        has = f"at most {digits} digits" if digits else "no digits"
        raise ValidationError(f"{currency} has {has} after the point.", code="digits")
    if len(whole) > len(str(LARGEST_VALUE)):
        raise ValidationError("That is more money than there is. Write a smaller amount.", code="too_much")
    minor = int(whole) * 10**digits + int(cents.ljust(digits, "0") or 0)
    if minor > LARGEST_VALUE:
        raise ValidationError("That is more money than there is. Write a smaller amount.", code="too_much")
    return minor


def _western(text: str) -> str:
    """Return the text with digits and signs of any script as the ones on our keyboards."""
    signs = (str(unicodedata.digit(sign)) if sign.isdecimal() else sign for sign in text)
    return "".join(signs).translate(EASTERN)


def _without_currency(text: str, currency: str) -> str:
    """Take off the currency's code or sign, the ",-" that stands for no cents, and tidy the gaps between thousands."""
    sign = get_currency_symbol(currency, "en")
    names = {currency, sign, re.sub(r"^[A-Z]+(?=\W)", "", sign)} | LOCAL_SIGNS.get(currency, set())
    for name in sorted(filter(None, names), key=len, reverse=True):
        found = re.fullmatch(rf"(-?)\s*{re.escape(name)}\s*(.+)|(-?)\s*(.+?)\s*{re.escape(name)}", text, re.IGNORECASE)
        if found:
            text = (found[1] or found[3] or "") + (found[2] or found[4])
            break
    text = re.sub(r"[.,](?:-{1,2}|–|—)$", "", text.strip())
    # A gap counts only between digits, and only where a thousand ends.
    return re.sub(rf"(?<=\d)[\s{GROUPS}](?=\d)", "’", text)


LOCAL_SIGNS = {
    "SEK": {"kr"},
    "NOK": {"kr"},
    "DKK": {"kr"},
    "ISK": {"kr"},
    "PLN": {"zł"},
    "CZK": {"Kč"},
    "HUF": {"Ft"},
    "RON": {"lei"},
    "BGN": {"лв", "лв."},
    "TRY": {"₺"},
    "UAH": {"₴"},
    "CHF": {"Fr.", "Fr", "SFr."},
    "ZAR": {"R"},
    "JPY": {"円"},
    "CNY": {"元"},
}


def _split(number: str, digits: int) -> tuple[str, str]:
    """Return the digits before and after the decimal sign."""
    signs = [sign for sign in number if sign in ".,"]
    if not signs:
        return _ungrouped(number, "’"), ""
    last = signs[-1]
    whole, _, tail = number.rpartition(last)
    if len(set(signs)) == 2 or "’" in number:
        # Two kinds of signs: the last one, standing once, is the decimal sign.
        if signs.count(last) > 1 or "’" in tail:
            raise _unclear(number, digits)
        return _ungrouped(whole, "’" if "’" in whole else next((s for s in signs if s != last), "")), tail
    if len(signs) > 1:
        return _ungrouped(number, last), ""
    if len(tail) != 3 or not GROUPED.fullmatch(number.replace(last, ",")) or whole.startswith("0"):
        return whole, tail
    # One sign and three digits. We write thousands with a comma ourselves; a point may mean either.
    if (last == "," and digits < 3) or digits == 0:
        return _ungrouped(number, last), ""
    raise ValidationError(
        f"{number} could mean {whole}{tail} or {whole}.{tail.rstrip('0') or '0'}. Write it without the {NAMES[last]}, or with cents.",
        code="ambiguous",
    )


NAMES = {".": "point", ",": "comma"}


def _ungrouped(text: str, sign: str) -> str:
    if not sign or sign not in text:
        if text.isdecimal():
            return text
    elif GROUPED.fullmatch(text.replace(sign, ",")) and text.replace(sign, "").isdecimal() and not text.startswith("0"):
        return text.replace(sign, "")
    raise _unclear(text, 2)


def _unclear(number: str, digits: int) -> ValidationError:
    return ValidationError(
        f"“{number.replace('’', ' ')}” cannot be read as an amount. Write it like {_example(digits)}.", code="unclear"
    )


def _example(digits: int) -> str:
    return "1950 or 1,950.50" if digits else "1950 or 1,950"
