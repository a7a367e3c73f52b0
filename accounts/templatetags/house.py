"""Template words of the house: icons, people, moons, money, days and form fields."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from zlib import crc32

from babel.core import Locale
from babel.numbers import format_currency, get_currency_precision, get_currency_symbol
from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect
from django.forms.utils import flatatt
from django.template.loader import get_template
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from accounts.markdown import render as render_markdown

register = template.Library()

LOCALE = Locale("en")
TINTS = 8
_SKIP_INSIDE = ("\u200d", "\ufe0f")  # joiner and emoji look: they belong to the sign before them


# Icons and moons ---------------------------------------------------------------------------------------


@cache
def _styles() -> SafeString:
    return get_template("_styles.html").render()


@register.simple_tag
def styles() -> SafeString:
    """Link the stylesheets, in the order of their layers; the addresses are looked up once per process."""
    return _styles()


class _Icons(dict):
    """The markup of each icon, written once per process."""

    def __missing__(self, name: str) -> SafeString:
        markup = format_html(
            '<svg class="icon" aria-hidden="true"><use href="{}#i-{}"/></svg>', static("icons.svg"), name
        )
        self[name] = markup
        return markup


ICONS = _Icons()


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw an icon of the sprite; it is decoration, so words beside it must say what it means."""
    return ICONS[name]


def moon(index: int, phases: int) -> int:
    """Return how full the moon of a phase is, 0 to 10; phases counts the path with its win phase."""
    if phases < 2:
        return 10
    return min(10, max(0, round(10 * index / (phases - 1))))


@lru_cache(64)
def _disc(step: str, size: str) -> SafeString:
    return format_html('<span class="disc{} p-{}"></span>', f" disc--{size}" if size else "", step)


@register.simple_tag
def disc(step, size: str = "") -> SafeString:
    """Draw the moon of a phase: 0 to 10, or "off" for a cancelled one; or anything that has a `moon`."""
    step = getattr(step, "moon", step)
    return _disc(str(step() if callable(step) else step), size)


# People ------------------------------------------------------------------------------------------------


def initials(name: str | None) -> str:
    """Return one or two signs that stand for a name in any script; "?" when there is none."""
    words = [sign for sign in map(_first_sign, (name or "")[:400].split()) if sign]
    letters = [sign for sign in words if sign[0].isalnum()] or words[:1]
    if not letters:
        return "?"
    signs = [letters[0], letters[-1]] if len(letters) > 1 else letters
    # Arabic letters side by side would join into one shape.
    return "\u200c".join(signs) if unicodedata.bidirectional(signs[0][0]) == "AL" else "".join(signs)


def _first_sign(word: str) -> str:
    """Return the first letter or digit of a word with its accents, else its first picture, else nothing."""
    word = unicodedata.normalize("NFC", word)
    start = next((at for at, sign in enumerate(word) if sign.isalnum()), None)
    if start is None:
        start = next((at for at, sign in enumerate(word) if unicodedata.category(sign) == "So"), None)
    if start is None:
        return ""
    end = start + 1
    while end < len(word) and end - start < 12 and _belongs(word, end, start):
        end += 1
    sign = word[start:end]
    upper = sign.upper()
    return upper if len(upper) == len(sign) else sign


def _belongs(word: str, at: int, start: int) -> bool:
    """Answer whether the sign at `at` is drawn together with those since `start`."""
    sign = word[at]
    if unicodedata.combining(sign) or unicodedata.category(sign) in ("Mn", "Mc", "Sk") or sign in _SKIP_INSIDE:
        return True
    if word[at - 1] == "\u200d":
        return True
    flag = range(0x1F1E6, 0x1F200)
    return ord(sign) in flag and at - start == 1 and ord(word[start]) in flag


@register.filter
def tint(key) -> int:
    """Return the tint, 1 to 8, that an id keeps for good."""
    return crc32(str(key).encode("utf-8", "replace")) % TINTS + 1


@lru_cache(4096)
def avatar_of(name: str, key: str, staff: bool = True, size: str = "", live: bool = False, bare: bool = False):
    """Draw a person: staff as a soft square, a customer as a circle. `bare`: the name already stands beside it."""
    classes = "avatar"
    classes += " avatar--staff" if staff else ""
    classes += f" h-{tint(key)}"
    classes += f" avatar--{size}" if size else ""
    classes += " avatar--live" if live else ""
    if bare:
        return format_html('<span class="{}" aria-hidden="true">{}</span>', classes, initials(name))
    return format_html(
        '<span class="{0}" title="{1}"><span aria-hidden="true">{2}</span><span class="visually-hidden">{1}</span></span>',
        classes,
        name,
        initials(name),
    )


def person_name(person) -> str:
    """Return what to call a user, member, contact, actor or plain row."""
    if isinstance(person, Mapping):
        return str(person.get("name") or "")
    name = getattr(person, "name", None) or getattr(person, "full_name", None)
    name = name() if callable(name) else name
    return str(name or person)


@register.simple_tag
def avatar(person, size: str = "", live: bool = False, bare: bool = False, staff: bool | None = None) -> SafeString:
    """Draw a user, member or contact (or a dict with id and name); size is "", "md" or "lg"."""
    if not person:
        return NOBODY
    inner = getattr(person, "user", None)  # a member has the tint and name of the user
    who = inner if inner is not None else person
    if staff is None:
        staff = inner is not None or hasattr(who, "check_password") or (isinstance(who, Mapping) and "email" in who)
    key = who.get("id") if isinstance(who, Mapping) else (getattr(who, "pk", None) or getattr(who, "id", ""))
    return avatar_of(person_name(who), str(key), staff, size, live, bare)


NOBODY = mark_safe('<span class="avatar avatar--none"><span class="visually-hidden">Nobody</span></span>')


@register.filter(name="initials")
def initials_filter(name) -> str:
    """Return the initials of a name."""
    return initials(str(name or ""))


# Money and days ----------------------------------------------------------------------------------------


@lru_cache(4096)
def _money(minor: int, currency: str) -> str:
    digits = get_currency_precision(currency)
    amount = Decimal(minor).scaleb(-digits)
    whole = minor % 10**digits == 0
    written = format_currency(
        amount, currency, format="¤#,##0" if whole else None, locale=LOCALE, currency_digits=not whole
    )
    symbol = get_currency_symbol(currency, LOCALE)
    # A symbol is drawn onto the figure; letters need air: PLN 1,000.
    return written.replace(symbol, f"{symbol}\u00a0", 1) if symbol[-1:].isalpha() else written


@register.filter
def money(minor, currency: str = "EUR") -> str:
    """Write an amount of cents (or the currency's own smallest unit): 195000 → €1,950."""
    if minor is None or minor == "":
        return ""
    return _money(int(minor), str(currency or "EUR").upper())


def local(moment: datetime | date) -> date:
    """Return the day of a moment in the business's zone; the ends of the calendar stay where they are."""
    if not isinstance(moment, datetime):
        return moment
    if timezone.is_naive(moment):
        return moment.date()
    try:
        return timezone.localtime(moment).date()
    except (OverflowError, ValueError):
        return moment.date()


@register.filter
def day(moment) -> str:
    """Write a day as people say it: Today, Tomorrow, Yesterday, 25 Nov, 25 Nov 2027."""
    if not moment:
        return ""
    when, today = local(moment), timezone.localdate()
    distance = when.toordinal() - today.toordinal()
    if distance in _NEAR:
        return _NEAR[distance]
    short = f"{when.day} {_MONTHS[when.month - 1]}"
    return short if when.year == today.year else f"{short} {when.year}"


_NEAR = {0: "Today", 1: "Tomorrow", -1: "Yesterday"}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@register.filter
def clock(moment) -> str:
    """Write the time of day of a moment in the business's zone: 17:00."""
    if not moment:
        return ""
    with suppress(OverflowError, ValueError):
        moment = timezone.localtime(moment)
    return f"{moment.hour:02}:{moment.minute:02}"


@register.filter
def ago(moment) -> str:
    """Write how long ago something was: just now, 5 min ago, 3 h ago, then the day."""
    if not moment:
        return ""
    if timezone.is_naive(moment):
        moment = moment.replace(tzinfo=UTC)
    seconds = (timezone.now() - moment).total_seconds()
    if 0 <= seconds < 60 or -5 < seconds < 0:
        return "just now"
    if 0 <= seconds < 3600:
        return f"{int(seconds // 60)} min ago"
    if 0 <= seconds < 12 * 3600:
        return f"{int(seconds // 3600)} h ago"
    said = day(moment)
    return f"{said}, {clock(moment)}" if said in _NEAR.values() else said


@register.simple_tag
def when(moment, style: str = "ago") -> SafeString:
    """Write a moment as a <time> that machines and the pointer can read in full.

    style is ago, day, clock, or in the middle of a sentence within (today, 25 Nov) and since (today, 08:00).
    """
    if not moment:
        return SafeString("")
    said = {"ago": ago, "day": day, "clock": clock, "within": within, "since": since}[style](moment)
    if not isinstance(moment, datetime):
        return format_html('<time datetime="{}">{}</time>', moment.isoformat(), said)
    full = f"{local(moment).isoformat()} {clock(moment)}"
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), full, said)


@register.filter(name="within")
def within(moment) -> str:
    """Write a day as it stands in the middle of a sentence: today, 25 Nov."""
    said = day(moment)
    return said[:1].lower() + said[1:]


def since(moment) -> str:
    """Write how long ago something was, as it stands in the middle of a sentence: 5 min ago, yesterday, 08:00."""
    said = ago(moment)
    return said[:1].lower() + said[1:]


@register.filter
def stop(sentence) -> SafeString:
    """End a sentence with a full stop, unless what it quotes has ended it already."""
    return format_html("{}", sentence) if str(sentence)[-1:] in _STOPS else format_html("{}.", sentence)


_STOPS = frozenset(".?!…")


# Forms -------------------------------------------------------------------------------------------------


def _together(parts) -> SafeString:
    """Join parts that are safe already."""
    return SafeString("".join(parts))


def _error_id(bound: BoundField) -> str:
    return f"{bound.auto_id}_error"


def _hint_id(bound: BoundField) -> str:
    return f"{bound.auto_id}_helptext"


def _control(bound: BoundField, attrs: dict) -> SafeString:
    """Draw the input itself with its ties to help and error."""
    widget = bound.field.widget
    tied = [_hint_id(bound)] if bound.help_text else []
    tied += [_error_id(bound)] if bound.errors else []
    attrs = {name.replace("_", "-"): value for name, value in attrs.items() if value not in (None, False)}
    if tied:
        attrs["aria-describedby"] = " ".join(tied)
    if bound.errors:
        attrs["aria-invalid"] = "true"
    if not isinstance(widget, CheckboxInput | RadioSelect | CheckboxSelectMultiple):
        attrs["class"] = " ".join(filter(None, ["input", widget.attrs.get("class", ""), attrs.get("class", "")]))
    return bound.as_widget(attrs=attrs)


def _sentence(bound: BoundField) -> SafeString:
    if not bound.errors:
        return SafeString("")
    return format_html(
        '<p class="error" id="{}">{}{}</p>', _error_id(bound), ICONS["warn"], " ".join(map(str, bound.errors))
    )


@register.simple_tag
def field(
    bound: BoundField,
    label: str | None = None,
    hint: str | None = None,
    aside: str = "",
    aside_url: str = "",
    plain: bool = False,
    **attrs,
) -> SafeString:
    """Draw a form's field: label, control, help and its error; attrs go to the control (hx_get is written hx-get).

    `aside` is a link at the label's end; `plain` drops a placeholder that only repeats the label.
    """
    if not isinstance(bound, BoundField):
        return SafeString("")
    if bound.is_hidden:
        return bound.as_widget()
    if hint is not None:
        bound.help_text = hint
    if plain:
        bound.field.widget.attrs.pop("placeholder", None)
    label = bound.label if label is None else label
    help_text = (
        format_html('<div class="hint" id="{}">{}</div>', _hint_id(bound), bound.help_text)
        if bound.help_text
        else SafeString("")
    )
    widget, control = bound.field.widget, _control(bound, attrs)
    optional = SafeString("")
    if not bound.field.required and getattr(bound.form, "mark_optional", False):
        optional = SafeString(' <span class="hint">optional</span>')
    if isinstance(widget, CheckboxSelectMultiple | RadioSelect):
        return _choices(bound, label, help_text)
    if isinstance(widget, CheckboxInput):
        return format_html(
            '<div class="field"><label class="check check--plain">{}<span>{}</span></label>{}{}</div>',
            control,
            label,
            help_text,
            _sentence(bound),
        )
    tag = format_html('<label for="{}">{}{}</label>', bound.id_for_label, label, optional)
    if aside:
        link = format_html('<a class="link tap xsmall push" href="{}">{}</a>', aside_url, aside)
        tag = format_html('<span class="row">{}{}</span>', tag, link)
    return format_html('<div class="field">{}{}{}{}</div>', tag, control, help_text, _sentence(bound))


def _choices(bound: BoundField, label: str, help_text: SafeString) -> SafeString:
    """Draw radios as pills and several checks as a list, in a fieldset named by the label."""
    tied = {"class": "fieldset field"}
    if bound.errors:
        tied |= {"aria-describedby": _error_id(bound), "id": bound.auto_id}
    several = isinstance(bound.field.widget, CheckboxSelectMultiple)
    part = (
        '<label class="check check--plain">{}<span>{}</span></label>' if several else "<label>{}<span>{}</span></label>"
    )
    choices = _together(format_html(part, one.tag(), one.choice_label) for one in bound)
    return format_html(
        '<fieldset{}><legend>{}</legend><div class="{}">{}</div>{}{}</fieldset>',
        flatatt(tied),
        label,
        "checks" if several else "options",
        choices,
        help_text,
        _sentence(bound),
    )


@register.simple_tag
def fields(form, *names: str) -> SafeString:
    """Draw fields of a form: those named (missing ones are passed over), or all of them."""
    bounds = [form[name] for name in names if name in form.fields] if names else list(form)
    return _together(field(bound) for bound in bounds)


@register.simple_tag
def fields_but(form, *names: str) -> SafeString:
    """Draw every field of a form except those named."""
    return _together(field(bound) for bound in form if bound.name not in names)


@register.simple_tag
def errors(form) -> SafeString:
    """Draw the summary of what is wrong with a form, each line a link to its field; nothing when all is well."""
    if not form or not form.errors:
        return SafeString("")
    lines = [format_html("<li>{}</li>", line) for line in form.non_field_errors()]
    for bound in form:
        if not bound.errors:
            continue
        said = " ".join(map(str, bound.errors))
        if bound.is_hidden:
            lines.append(format_html("<li>{}</li>", said))
            continue
        to = bound.id_for_label or bound.auto_id
        lines.append(format_html('<li><a class="link" href="#{}">{}</a>: {}</li>', to, bound.label, said))
    return format_html(
        '<div class="note note--danger" role="alert" tabindex="-1" data-errors>{}<ul class="stack stack--tight">{}</ul></div>',
        ICONS["warn"],
        _together(lines),
    )


# What people write -------------------------------------------------------------------------------------


@register.filter
def markdown(text) -> SafeString:
    """Write Markdown as safe HTML, to stand in an element of class prose."""
    return render_markdown(text)


@register.filter
def undo_sequence(tags: str) -> str:
    """Return the event that a message's tag "undo-12" offers to undo, else nothing."""
    return next((tag[5:] for tag in (tags or "").split() if tag.startswith("undo-")), "")


# The rail ----------------------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def place(context, view: str, word: str, sign: str, under: str = "") -> SafeString:
    """Draw a link of the rail, current when the page is there or under one of the named parts; nothing if there is no such page."""
    request, business = context.get("request"), context.get("rail_business")
    if not business or request is None:
        return SafeString("")
    try:
        to = reverse(view, args=[business.slug])
    except NoReverseMatch:
        return SafeString("")
    here = request.path == to or any(
        request.path.startswith(f"/{business.slug}/{part}/") for part in under.split() if part
    )
    return format_html(
        '<a class="rail__link" href="{}"{}>{}{}</a>',
        to,
        SafeString(' aria-current="page"') if here else "",
        ICONS[sign],
        word,
    )
