"""Mail templates and the letterhead over the API."""

import pytest

from automations.models import Letterhead, MailTemplate
from tests.api.program import program_of
from tests.factories import make_card, make_contact

pytestmark = pytest.mark.django_db(transaction=True)
TEMPLATES, HEAD = "/automations/v1/templates", "/automations/v1/letterhead"
LETTER = {"name": "Order late", "subject": "Late: {{ card.name }}", "body": "Dear {{ customer.name }}", "minutes": 5}


def made(program, **fields) -> str:
    return program.post(TEMPLATES, {"template": LETTER | fields}).body["id"]


def test_a_template_is_made_read_changed_and_deleted(program):
    path = f"{TEMPLATES}/{made(program)}"
    answer = program.get(path)
    assert answer.body["template"].items() >= (LETTER | {"key": "order_late", "revision": 1}).items()
    assert answer.headers["ETag"] == '"1"'
    assert program.patch(path, {"template": {"minutes": 0}}).body == {}
    changed = program.get(path).body["template"]
    assert (changed["minutes"], changed["body"], changed["revision"]) == (0, LETTER["body"], 2)
    assert program.delete(path).body == {}
    assert program.get(path).code == "TEMPLATE_NOT_FOUND"


def test_templates_are_listed_by_name_in_parts(program, business):
    business.mail_templates.all().delete()
    for name in ("B", "A", "C"):
        made(program, name=f"  {name}", key=name.lower())
    part = program.get(f"{TEMPLATES}?limit=2&offset=1").body
    assert [one["key"] for one in part["templates"]] == ["b", "c"]
    assert part["pagination"] == {"limit": 2, "offset": 1, "total": 3, "count": 2}


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(program):
    path = f"{TEMPLATES}/{made(program)}"
    program.patch(path, {"template": {"subject": "Theirs"}})
    for answer in (
        program.patch(path, {"template": {"subject": "Mine"}, "revision": 1}),
        program.patch(path, {"template": {"subject": "Mine"}}, If_Match='"1"'),
        program.delete(path, If_Match='"1"'),
    ):
        assert (answer.status in (409, 412), answer.code) == (True, "ALREADY_CHANGED")
        assert answer.data["template"]["subject"] == "Theirs"
    assert program.patch(path, {"template": {"subject": "Mine"}}, If_Match='"2"').status == 200


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": " "}, {"template.name": "REQUIRED"}),
        ({"key": "Order Late"}, {"template.key": "FORMAT"}),
        ({"minutes": 20_000}, {"template.minutes": "MAX"}),
        ({"body": "{{ card.colour }}"}, {"template.body": "NAME"}),
        ({"subject": "{% if %}"}, {"template.subject": "TEMPLATE"}),
        ({"colour": "red"}, {"template.colour": "UNKNOWN_FIELD"}),
    ],
)
def test_what_makes_no_sense_names_the_field_and_makes_nothing(program, fields, wrong):
    before = MailTemplate.objects.count()
    answer = program.post(TEMPLATES, {"template": LETTER | fields})
    assert (answer.status, answer.fields) == (400, wrong)
    assert MailTemplate.objects.count() == before


def test_a_key_is_given_once(program):
    made(program, key="late")
    answer = program.post(TEMPLATES, {"template": LETTER | {"key": "late"}})
    assert (answer.status, answer.code) == (409, "TEMPLATE_EXISTS")


def test_a_preview_is_the_mail_as_it_would_leave_for_who_may_see_the_card(owner, program, workflow, business):
    card = make_card(workflow.phases.first(), "Oak", contact=make_contact(business, emails=[("i@x.test", "")]))
    program.patch(HEAD, {"letterhead": {"sender": "The Joiners", "footer": "Oak Street 7"}})
    path, about = f"{TEMPLATES}/{made(program)}/preview", {"cardId": str(card.pk)}
    seen = program.post(path, about).body
    assert (seen["to"], seen["sender"], seen["subject"]) == ("i@x.test", "The Joiners", "Late: Oak")
    assert seen["text"] == "Dear Ines Brunet\n\n-- \nOak Street 7\n"
    assert "<p>Dear Ines Brunet</p>" in seen["html"]
    assert not business.deliveries.exists()
    for missing in ("CARD_VIEW", "CONTACT_VIEW"):
        scopes = {"AUTOMATION_VIEW", "CARD_VIEW", "CONTACT_VIEW"} - {missing}
        assert program_of(owner, *scopes).post(path, about).code == "PERMISSION_DENIED"


def test_the_letterhead_is_read_and_changed_in_part(program, business):
    assert program.get(HEAD).body["letterhead"] == {"sender": "", "replyTo": None, "footer": ""}
    program.patch(HEAD, {"letterhead": {"sender": "The Joiners", "replyTo": "office@joiners.test"}})
    program.patch(HEAD, {"letterhead": {"footer": "Bye"}})
    told = {"sender": "The Joiners", "replyTo": "office@joiners.test", "footer": "Bye"}
    assert program.get(HEAD).body["letterhead"] == told
    program.patch(HEAD, {"letterhead": {"replyTo": None}})
    assert Letterhead.of(business).reply_to == ""
    assert program.patch(HEAD, {"letterhead": {"sender": 'A "B"'}}).fields == {"letterhead.sender": "FORMAT"}
