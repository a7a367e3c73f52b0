"""Markdown: what people mean by it, and what hostile people try with it."""

import time
from html.parser import HTMLParser

import pytest
from django.template import Context, Template

from accounts.markdown import LONGEST, render


class Reader(HTMLParser):
    """What a browser would find in a piece of HTML."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.links = set(), set(), []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        """Note a tag and what it carries."""
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value for name, value in attrs if name == "href"]


def test_what_people_write_comes_out_as_they_mean_it():
    html = render("Call **before** noon\nand _ask_ for ~~Bob~~ Priya:\n\n1. oak\n2. birch\n\n> soon `x<y`")
    assert "<strong>before</strong>" in html
    assert "noon<br" in html
    assert "<em>ask</em>" in html
    assert "<s>Bob</s>" in html
    assert "<ol>" in html
    assert "<blockquote>" in html
    assert "<code>x&lt;y</code>" in html


def test_a_table_and_the_number_a_list_starts_with_are_kept():
    html = render("| a | b |\n|---|--:|\n| 1 | 2 |\n\n3. third")
    assert "<td>1</td>" in html
    assert "style" not in html
    assert '<ol start="3">' in html


def test_headings_stay_below_those_of_the_page():
    assert render("# Big\n\n###### Small") == "<h3>Big</h3>\n<h6>Small</h6>\n"


def test_bare_addresses_become_links_without_the_full_stop_behind_them():
    html = render("See https://example.org/a?b=1&c=2. (Or http://example.org)")
    assert (
        '<a href="https://example.org/a?b=1&amp;c=2" rel="nofollow noopener">https://example.org/a?b=1&amp;c=2</a>.'
        in html
    )
    assert ">http://example.org</a>)" in html


def test_an_address_in_code_or_in_a_link_is_left_alone():
    assert "<a" not in render("`https://example.org`")
    assert render("[https://a.test](https://b.test)").count("<a") == 1


def test_every_link_says_that_we_vouch_for_nobody():
    for text in ("[x](https://example.org)", "<https://example.org>", "https://example.org", "[x](/demo/)"):
        assert 'rel="nofollow noopener"' in render(text)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        "<iframe src='https://evil.test'></iframe>",
        "<style>*{display:none}</style>",
        "<form action='https://evil.test'><input></form>",
        "</p></div><h1 onclick=alert(1)>",
        "<!-- --><b onmouseover=alert(1)>b</b>",
        '[x](https://a.test "onmouseover=alert(1)")\n<a href="javascript:alert(1)">y</a>',
    ],
)
def test_html_is_shown_as_text(text):
    found = Reader(render(text))
    assert found.tags <= {"p", "a", "br"}
    assert found.attributes <= {"href", "rel", "title"}


@pytest.mark.parametrize(
    "link",
    [
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](java\nscript:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](javascript&colon;alert(1))",
        "[x](\x01javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](vbscript:x)",
        "[x](file:///etc/passwd)",
        "<javascript:alert(1)>",
        "[x][1]\n\n[1]: javascript:alert(1)",
    ],
)
def test_a_link_leads_only_to_the_web_to_mail_or_to_a_phone(link):
    assert not [to for to in Reader(render(link)).links if ":" in to]


def test_pictures_from_outside_are_not_fetched():
    html = render("![a dot](https://evil.test/track.gif) ![b][1]\n\n[1]: https://evil.test/x.png")
    assert "<img" not in html
    assert "src=" not in html


def test_quotes_cannot_leave_an_attribute():
    html = render('[x](https://a.test/"onmouseover="alert(1)) https://a.test/"onmouseover="alert(1)')
    assert Reader(html).attributes == {"href", "rel"}


def test_nothing_and_null_bytes_do_not_break_it():
    assert render("a\x00b") == "<p>a\ufffdb</p>\n"
    assert render("") == ""
    assert render(None) == ""


def test_template_code_is_text():
    assert "{{ 7 }}" in render("{{ 7 }}")
    assert "{% load x %}" in render("{% load x %}")


def test_more_than_a_field_holds_is_cut():
    assert len(render("a" * (LONGEST + 100))) < LONGEST + 20


@pytest.mark.parametrize(
    "sign",
    [
        "[",
        "![",
        "*",
        "_",
        "`",
        "~~a",
        ">",
        "- ",
        "[a](",
        "<",
        "&",
        "|a",
        "**a*",
        "a\n- ",
        "[[](",
        "https://",
        "*a_ ",
        "\\",
    ],
)
def test_no_text_takes_long(sign):
    start = time.process_time()
    render((sign * LONGEST)[:LONGEST])
    assert time.process_time() - start < 2


def test_deep_nesting_ends():
    assert render(">" * 5000 + " deep").count("<blockquote>") <= 25


def test_the_filter_gives_the_same_in_a_template():
    said = Template("{{ text|markdown }}").render(Context({"text": "**x** <b>"}))
    assert said == "<p><strong>x</strong> &lt;b&gt;</p>\n"
