"""Every page of the back room: it answers, and does nothing past the verbs."""

import pytest
from django.contrib import admin
from django.db import transaction

from tests.accounts.back_room import OURS, REGISTERED, furnish, names, url

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def _furnished(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), transaction.atomic():
        furnish(1)
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _one_of_everything(_furnished, db):
    """Show a business in which there is one of everything, made once for all pages."""


@pytest.mark.parametrize("model", OURS, ids=names(OURS))
def test_every_page_answers_with_an_explanation(back_room, model):
    page, row = admin.site._registry[model], model._default_manager.first()
    for address in (url(model), url(model) + "?q=o", url(row, "change")):
        answer = back_room.get(address)
        assert answer.status_code == 200, address
        assert page.says.split("“")[0] in answer.content.decode().replace("&#x27;", "'"), address
    adding = back_room.get(url(model, "add")).status_code
    assert adding == (200 if getattr(page, "needs", ()) else 403)


@pytest.mark.parametrize("model", REGISTERED, ids=names(REGISTERED))
def test_pages_of_those_we_stand_on_answer_too(back_room, model):
    row = model._default_manager.first()
    assert back_room.get(url(model)).status_code == 200
    if row:
        assert back_room.get(url(row, "change")).status_code == 200


@pytest.mark.parametrize("model", OURS, ids=names(OURS))
def test_nothing_is_deleted_past_the_verbs(back_room, model):
    row, before = model._default_manager.first(), model._default_manager.count()
    for answer in (
        back_room.get(url(row, "delete"), follow=True),
        back_room.post(url(row, "delete"), {"post": "yes"}, follow=True),
    ):
        assert "Nothing was deleted." in answer.content.decode()
    back_room.post(url(model), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert model._default_manager.count() == before


@pytest.mark.parametrize(
    "model",
    [model for model in OURS if not getattr(admin.site._registry[model], "takes", ("user",))],
    ids=lambda m: m._meta.label,
)
def test_what_has_no_verb_cannot_be_posted(back_room, model):
    row = model._default_manager.first()
    before = model._default_manager.filter(pk=row.pk).values().get()
    assert back_room.post(url(row, "change"), dict.fromkeys(before, "1")).status_code == 403
    assert back_room.post(url(model, "add"), dict.fromkeys(before, "1")).status_code == 403
    assert model._default_manager.filter(pk=row.pk).values().get() == before
