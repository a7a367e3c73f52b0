"""The back room in a real browser: the strict content policy holds, the scripts of Django's admin work under it."""

import pytest
from django.contrib import admin
from django.urls import reverse
from playwright.sync_api import expect

from boards.models import Card
from tests.accounts.test_admin import OURS, furnish, url
from tests.factories import UserFactory


@pytest.fixture
def back_room(open_page):
    """An administrator's browser, in a furnished place."""
    furnish(2)
    return open_page(UserFactory(name="Root Admin", is_staff=True, is_superuser=True))


def test_every_page_keeps_to_the_content_policy(back_room):
    back_room.goto(reverse("admin:index"))
    for model in OURS:
        page, row = admin.site._registry[model], model._default_manager.first()
        back_room.goto(url(model))
        back_room.goto(url(row, "change"))
        if getattr(page, "needs", ()):
            back_room.goto(url(model, "add"))


def test_a_card_is_found_its_phase_changed_and_the_refusal_of_another_workflow_shown(back_room):
    card = Card.objects.select_related("workflow").filter(phase__section=0).first()
    other = Card.objects.exclude(workflow=card.workflow).filter(phase__section=0).first().phase
    to = card.workflow.phases.all()[2]

    def choose(phase):
        back_room.locator(".field-phase .select2-selection").click()
        back_room.locator(".select2-search__field").fill(f"{phase.name} {phase.business.slug} ")
        name = f"{phase.name} · {phase.workflow.name} · {phase.business.name}"
        found = back_room.locator(".select2-results__option")
        expect(found).to_have_text([name])
        found.click()
        back_room.locator("input[name=_continue]").click()

    back_room.goto(url(card, "change"))
    choose(other)
    expect(back_room.locator(".errorlist")).to_contain_text("another workflow")
    back_room.goto(url(card, "change"))
    choose(to)
    expect(back_room.locator(".messagelist")).to_contain_text("was changed successfully")
    card.refresh_from_db()
    assert card.phase == to


def test_what_is_final_is_asked_and_done(back_room):
    card = Card.objects.first()
    back_room.goto(url(Card))
    for action in ("archive", "delete_for_good"):
        back_room.locator(f"input[name=_selected_action][value='{card.pk}']").check()
        back_room.locator("select[name=action]").select_option(action)
        back_room.locator("button[name=index]").click()
    expect(back_room.locator("#content")).to_contain_text("cannot be taken back")
    back_room.locator("form button.button").click()
    expect(back_room.locator(".messagelist")).to_be_visible()
    assert not Card.objects.filter(pk=card.pk).exists()
