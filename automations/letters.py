"""What a mail template says about a card: Liquid with few words and firm limits, over plain facts, as text and as HTML."""

import datetime as dt
import re
from functools import lru_cache

from babel.numbers import get_currency_precision
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from liquid import Environment
from liquid.builtin import content, illegal, output
from liquid.builtin.filters import array, misc, string
from liquid.builtin.tags import assign_tag, case_tag, comment_tag, for_tag, if_tag, inline_comment_tag, unless_tag
from liquid.exceptions import LiquidError
from liquid.stringify import to_liquid_string

from accounts.markdown import clean
from accounts.markdown import render as render_markdown
from accounts.templatetags.house import money
from boards.intake import say

LONGEST = 10_000  # characters of a template
LONGEST_LETTER = 20_000  # characters of what comes of it
LONGEST_SUBJECT = 200
MOST_WORDS = 100  # names and filters in a template: what each may cost is paid in every round of a loop

# What a template may name, and what it means: shown beside the editor, and the only names it may use.
VARIABLES = {
    "customer.name": "Ines Brunet",
    "customer.given_name": "Ines",
    "customer.family_name": "Brunet",
    "customer.email": "ines@example.com",
    "customer.company": "Brunet & Fils",
    "card.name": "Oak table",
    "card.number": "42",
    "card.description": "what the card says",
    "card.phase": "the phase, by the name customers see",
    "card.workflow": "Orders",
    "card.due_date": "25 November 2026",
    "card.due_time": "14:30",
    "card.value": "€1,950",
    "card.amount": "1950, to compare with",
    "card.source": "Web shop",
    "card.labels": "a list: {% for label in card.labels %}",
    "card.assignee": "Tomás Rivera",
    "card.fields.…": "a field of the workflow: card.fields.tracking_number",
    "from": "the phase it came from",
    "to": "the phase it came into",
    "form.name": "the form through which the card came",
    "form.answers.…": "what was answered there: form.answers.rough_budget",
    "business.name": "Brightside Joinery",
    "today": "20 November 2026",
}
_KNOWN = {name for name in VARIABLES if "…" not in name} | {
    "customer",
    "card",
    "form",
    "business",
    "card.fields",
    "form.answers",
}
_RANGE = re.compile(r"\{[{%][^}]*\.\.")
_SIGNS = re.compile(r"([!-/:-@\[-`{-~])")
_DIRECTIVE = re.compile(r"%(-?[aAbBdmyYHMIpj%])")


def _in_words(value):
    if isinstance(value, dt.date):
        return f"{value.day} {value:%B %Y}"
    return "" if isinstance(value, dict) else value


def _join(value, separator: str = ", ") -> str:
    return str(separator).join(map(str, value)) if isinstance(value, list) else _in_words(value)


def _date(value, form: str = "%-d %B %Y"):
    """Write a day in another way, with the usual signs and without their widths, which could ask for a million zeros."""
    if not isinstance(value, dt.date):
        return value
    return _DIRECTIVE.sub(lambda sign: value.strftime(sign[0]), str(form))


class _Output(output.OutputNode):
    """Writes a value as people write it."""

    def render_to_output(self, context, buffer) -> int:
        said = _in_words(self.expression.evaluate(context))
        return buffer.write(context.env.put(to_liquid_string(said, autoescape=False)))


class _OutputTag(output.Output):
    node_class = _Output


class Letters(Environment):
    """Liquid with the tags and filters that a letter needs, none of which can make much out of little."""

    loop_iteration_limit = 100
    output_stream_limit = LONGEST_LETTER
    local_namespace_limit = 20_000
    context_depth_limit = 20
    block_nesting_limit = 20

    def setup_tags_and_filters(self, *, extra=False):
        """Take what is named here and nothing else."""
        for tag in (content.Literal, _OutputTag, illegal.Illegal, if_tag.IfTag, unless_tag.UnlessTag, case_tag.CaseTag):
            self.add_tag(tag)
        for tag in (for_tag.ForTag, for_tag.BreakTag, for_tag.ContinueTag, assign_tag.AssignTag):
            self.add_tag(tag)
        for tag in (comment_tag.CommentTag, inline_comment_tag.InlineCommentTag):
            self.add_tag(tag)
        filters = {"upcase": string.upcase, "downcase": string.downcase, "capitalize": string.capitalize}
        filters |= {"strip": string.strip, "truncate": string.truncate, "truncatewords": string.truncatewords}
        filters |= {"default": misc.default, "size": misc.size, "first": array.first, "last": array.last}
        for name, do in (filters | {"join": _join, "date": _date}).items():
            self.add_filter(name, do)

    @staticmethod
    def put(text: str) -> str:
        """Return a value as it stands in plain text."""
        return text


class MarkedLetters(Letters):
    """The same for Markdown, in which a value is words and never markup."""

    @staticmethod
    def put(text: str) -> str:
        """Return a value so that no sign of it means anything."""
        return _SIGNS.sub(r"\\\1", text)


FILTERS = sorted(Letters().filters)
_plain, _marked = Letters(), MarkedLetters()


def check(source: str, longest: int = LONGEST) -> None:
    """Raise ValidationError for a template that is too long, cannot be read, or names what there is not."""
    if len(source) > longest:
        raise ValidationError(f"At most {longest:,} characters, please.", code="long")
    used = _read(_plain, source).analyze()
    if unknown := set(used.filters) - set(FILTERS):
        raise ValidationError(
            f"There is no filter {sorted(unknown)[0]}; there are {', '.join(FILTERS)}.", code="filter"
        )
    for variables in used.globals.values():
        for variable in variables:
            path = ".".join(str(part) for part in variable.segments if not isinstance(part, int))
            if path not in _KNOWN and not path.startswith(("card.fields.", "form.answers.")):
                raise ValidationError(f"There is no {{{{ {path} }}}}. The list beside says what there is.", code="name")
    render(source, {})


def render(source: str, facts: dict, *, marked: bool = False) -> str:
    """Return what a template says; raises ValidationError when it is unreadable or would say too much."""
    try:
        return _read(_marked if marked else _plain, source).render(**facts)
    except LiquidError as error:
        raise ValidationError(f"The template says too much, or nonsense: {error.message}.", code="template") from None


def as_html(body: str, facts: dict, sender: str = "", footer: str = "") -> str:
    """Return a mail's HTML part: the template's Markdown with the facts in it as mere words."""
    told = {"letter": render_markdown(render(body, facts, marked=True)), "sender": sender, "footer": footer}
    return render_to_string("mail/letter.html", told)


def seen(html: str) -> SafeString:
    """Return the letter inside a mail's HTML part, to be shown on a page."""
    return clean(html.partition("<main>")[2].partition("</main>")[0])


def facts_of(card, business, contact=None, event=None) -> dict:
    """Return the plain facts a template may name: no rows, no methods, nothing that could be called."""
    contact = contact or (card.contact if card else None)
    moved = event.details if event is not None and event.name == "card.moved" else {}
    return {
        "business": {"name": business.name},
        "customer": {name: getattr(contact, name) for name in ("name", "given_name", "family_name", "email", "company")}
        if contact
        else {},
        "card": _card(card, business) if card else {},
        "form": _form(card, business) if card else {},
        "from": moved.get("before", {}).get("name", ""),
        "to": moved.get("after", {}).get("name", ""),
        "today": business.today(),
    }


def _card(card, business) -> dict:
    status = card.phase.status
    fields = {_named(field.name): field for field in card.workflow.fields.all()}
    amount = money(card.value, business.currency)
    return {
        "name": card.name,
        "number": card.number,
        "description": card.description,
        "phase": (status.public_name if status else "") or card.phase.name,
        "workflow": card.workflow.name,
        "due_date": card.due_date,
        "due_time": card.due_time and card.due_time.isoformat("minutes"),
        "value": amount,
        "amount": (card.value or 0) / 10 ** get_currency_precision(business.currency),
        "source": card.source,
        "labels": [label.name for label in card.labels.all()],
        "assignee": next((str(row.member) for row in card.assignments.select_related("member__user")), ""),
        "fields": {name: field.show(card.custom.get(str(field.pk))) for name, field in fields.items()},
    }


def _form(card, business) -> dict:
    submission = card.submissions.select_related("form").first()
    if submission is None:
        return {}
    answers = {_named(answer["label"]): say(answer, business.currency) for answer in submission.answers}
    return {"name": submission.form.title, "answers": answers}


def _named(label: str) -> str:
    """Return what a template calls something by its label: Rough budget? is rough_budget."""
    return re.sub(r"\W+", "_", label.casefold()).strip("_")


@lru_cache(256)
def _read(environment: Letters, source: str):
    if _RANGE.search(source):
        raise ValidationError("A template knows no ranges like (1..5).", code="template")
    try:
        template = environment.from_string(source)
        used = template.analyze()
    except LiquidError as error:
        line = f" in line {error.context()[0]}" if error.token is not None and error.context() else ""
        raise ValidationError(f"The template cannot be read{line}: {error.message}.", code="template") from None
    if sum(map(len, [*used.variables.values(), *used.filters.values()])) > MOST_WORDS:
        raise ValidationError(f"A template has at most {MOST_WORDS} names and filters.", code="long")
    return template
