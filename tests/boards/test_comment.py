"""Comments: written, changed and taken away by those who may, once each."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import Event
from boards.models import Card, Comment
from boards.models.comment import AGAIN, mentioned
from tests.factories import actor, make_card

pytestmark = pytest.mark.django_db


@pytest.fixture
def card(workflow):
    return make_card(workflow.phases.first(), "Oak table")


def test_a_double_click_says_it_once(card, staff):
    first = Comment.write(card, "Called her.", by=actor(staff))
    assert Comment.write(card, "Called her. ", by=actor(staff)) == first
    assert Card.objects.get(pk=card.pk).comment_count == 1
    assert Event.objects.about(card).filter(name="card.commented").count() == 1


def test_the_same_words_later_or_by_another_person_are_news(card, staff, manager):
    first = Comment.write(card, "Called her.", by=actor(staff))
    Comment.objects.filter(pk=first.pk).update(created_at=first.created_at - AGAIN - timedelta(seconds=1))
    Comment.write(card, "Called her.", by=actor(staff))
    Comment.write(card, "Called her.", by=actor(manager))
    assert Card.objects.get(pk=card.pk).comment_count == 3


@pytest.mark.parametrize("text", ["", "   ", "x" * 10_001])
def test_nothing_and_too_much_are_refused(card, staff, text):
    with pytest.raises(ValidationError):
        Comment.write(card, text, by=actor(staff))
    assert not card.comments.exists()


def test_only_its_author_or_a_manager_changes_a_comment(card, staff, manager, owner):
    comment = Comment.write(card, "By the owner.", by=actor(owner))
    with pytest.raises(ValidationError, match="Only the author or a manager"):
        comment.update("Mine now", by=actor(staff))
    with pytest.raises(ValidationError, match="Only the author or a manager"):
        comment.remove(by=actor(staff))
    comment.update("Corrected.", by=actor(manager))
    assert Comment.objects.get().text == "Corrected."
    assert Comment.objects.get().changed_at


def test_a_viewer_says_nothing(card, viewer):
    with pytest.raises(PermissionDenied):
        Comment.write(card, "Hello", by=actor(viewer))


def test_people_are_mentioned_by_first_or_whole_name(card, staff, manager, owner):
    def names(text):
        return {str(member) for member in mentioned(card.business_id, text)}

    assert names("@Tomás can you?") == {"Tomás Rivera"}
    assert names("@tomás rivera and @Priya: look") == {"Tomás Rivera", "Priya Nair"}
    assert names("write to tomas@example.test or @Tomásito") == set()
