"""What people write in Markdown, as HTML that is safe to show to others."""

import re

import nh3
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

LONGEST = 20_000  # characters; the longest text a field of ours holds
DEEPEST = 20  # lists in lists, quotes in quotes

_TAGS = set("a blockquote br code del em h3 h4 h5 h6 hr li ol p pre s strong table tbody td th thead tr ul".split())
_ADDRESS = re.compile(r"https?://[^\s<>\"“”]+", re.IGNORECASE)


def render(text: str) -> SafeString:
    """Return Markdown as safe HTML: no tags of the writer's, no pictures, links that vouch for nobody."""
    return clean(_markdown.render((text or "")[:LONGEST]))


def clean(html: str) -> SafeString:
    """Return HTML with nothing in it but the tags that Markdown makes."""
    return SafeString(_cleaner.clean(html))


def _link_addresses(state: StateCore) -> None:
    """Make links of bare web addresses, outside of links and code."""
    for block in state.tokens:
        if block.type == "inline" and "://" in block.content:
            block.children = list(_with_links(block.children))


def _with_links(tokens):
    inside = 0
    for token in tokens:
        inside += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        if inside or token.type != "text":
            yield token
        else:
            yield from _split(token)


def _split(token: Token):
    at = 0
    for found in _ADDRESS.finditer(token.content):
        # A full stop or a bracket after an address belongs to the sentence around it.
        address = found[0].rstrip(".,;:!?'*_)]}")
        yield _text(token.content[at : found.start()])
        yield Token("link_open", "a", 1, attrs={"href": address})
        yield _text(address)
        yield Token("link_close", "a", -1)
        at = found.start() + len(address)
    yield _text(token.content[at:])


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _lower_headings(state: StateCore) -> None:
    """Put headings below those of the page they are shown on."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 2, 6)}"


# A line break that was typed is meant: most people do not know Markdown.
_markdown = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": DEEPEST})
_markdown.enable(["table", "strikethrough"]).disable(["image", "html_block", "html_inline"])
_markdown.core.ruler.push("link_addresses", _link_addresses)
_markdown.core.ruler.push("lower_headings", _lower_headings)

_cleaner = nh3.Cleaner(
    tags=_TAGS,
    attributes={"a": {"href", "title"}, "ol": {"start"}},
    url_schemes={"http", "https", "mailto", "tel"},
    link_rel="nofollow noopener",
)
