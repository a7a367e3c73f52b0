"""The pages for programmers: Markdown in templates/docs, with a word of Django's here and there so that they stay true."""

from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.template.loader import get_template, render_to_string
from django.utils.safestring import SafeString
from django.utils.text import slugify
from markdown_it import MarkdownIt

from accounts.openapi import CODES
from accounts.rest import LARGEST_PAGE, MOST_AT_ONCE
from automations.api.dialect import ERRORS, WARNINGS
from automations.models.delivery import ATTEMPTS
from automations.outbound import SECONDS

NAMES = [
    "start",
    "lead-funnel",
    "writes",
    "lists",
    "changes",
    "webhooks",
    "automations",
    "reports",
    "definitions",
    "rulesets",
    "bulk",
    "labels",
    "errors",
    "limits",
]
FACTS = {
    "requests_a_minute": settings.API_REQUESTS_A_MINUTE,
    "megabytes": settings.DATA_UPLOAD_MAX_MEMORY_SIZE / 1e6,
    "largest_page": LARGEST_PAGE,
    "most_at_once": MOST_AT_ONCE,
    "webhook_attempts": ATTEMPTS,
    "webhook_seconds": SECONDS,
    "definition_errors": ERRORS,
    "definition_warnings": WARNINGS,
}


@dataclass(frozen=True)
class Guide:
    """One page: its name in the address, and its title."""

    name: str
    title: str


@cache
def guides() -> list[Guide]:
    """Return the pages in the order they are read."""
    return [Guide(name, _title(render_to_string(_path(name), FACTS))) for name in NAMES]


def body(guide: Guide, address: str) -> SafeString:
    """Return a page as HTML, with the address of this server in its commands."""
    codes = sorted(CODES.values(), key=lambda code: (code.statuses, code.name))
    text = get_template(_path(guide.name)).render({**FACTS, "address": address, "codes": codes})
    return SafeString(_markdown.render(text.partition("\n")[2]))  # ours, and rendered without tags of its own


def _path(name: str) -> str:
    return f"docs/{name}.md"


def _title(text: str) -> str:
    return text.partition("\n")[0].removeprefix("# ")


def _fence(tokens, index, options, env) -> str:
    """Draw a command that can be copied, or what is answered.

    After the language a command may say which status it answers with, and what of its answer is kept under which name:
    ```sh 409``` or ```sh WORKFLOW=id```. The tests, which run every command, read it too.
    """
    language, *words = tokens[index].info.split()
    kept = [tuple(word.split("=")) for word in words if "=" in word]
    status = next((word for word in words if word.isdecimal()), "")
    told = {"text": tokens[index].content.strip(), "kept": kept, "status": status, "is_command": language == "sh"}
    return render_to_string("docs/_code.html", told)


def _heading(tokens, index, options, env) -> str:
    return f'<{tokens[index].tag} id="{slugify(tokens[index + 1].content)}">'


def _table(tokens, index, options, env) -> str:
    return '<div class="guide__table" tabindex="0"><table>'


_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
_markdown.renderer.rules |= {
    "fence": _fence,
    "heading_open": _heading,
    "table_open": _table,
    "table_close": lambda *_: "</table></div>",
}
