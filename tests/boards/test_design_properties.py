"""Whatever is edited in the builder is a document that can be sent, and what is brought back is as it was."""

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from boards import checking, documents
from boards.definitions import Unfit
from boards.models import Draft, Workflow
from boards.models.definition import shelf_of
from boards.models.draft import design_of
from boards.models.library import stock
from tests.definitions import documents as any_document
from tests.definitions import patient, rulesets, words
from tests.factories import actor, make_workflow

quick = effort(patient, max_examples=15, suppress_health_check=[*HealthCheck])
# What a person can do in the builder that is told as an error there, with a way to put it right.
TOLD = {"DUPLICATE_STATUS", "STATUS_UNDECLARED", "TIMEOUT_TO_NOWHERE"}
STAGES = st.sampled_from(["new", "processing", "completed", "cancelled"])


@pytest.fixture
def by(manager):
    """Priya, who designs."""
    return actor(manager)


@pytest.fixture
def workflow(business):
    """A workflow of a business with filled libraries."""
    stock(business)
    return make_workflow(business)


def edits(business):
    """Return a strategy of edits: what is done, the places of two steps it is about, and what it is told."""
    triggers = st.sampled_from([None, *(str(pk) for pk in business.trigger_library.values_list("pk", flat=True)[:3])])
    members = st.sampled_from([None, *(str(pk) for pk in business.memberships.values_list("pk", flat=True)[:2])])
    told = {
        "name": words,
        "stage": STAGES,
        "description": st.text("aä 🪵\n", max_size=20),
        "trigger": triggers,
        "wip_limit": st.none() | st.integers(1, 9999),
        "wip_policy": st.sampled_from(["soft", "hard"]),
        "stale_days": st.none() | st.integers(1, 3650),
        "required": st.lists(st.sampled_from(["contact", "value"]), unique=True),
        "default_assignee": members,
        "checklist_lines": st.lists(words, max_size=3),
        "timeout_hours": st.none() | st.integers(1, 87600),
    }
    deeds = st.sampled_from(["add", "move", "set", "lead", "remove", "keep", "rule", "describe"])
    places = st.integers(0, 9)
    rule = rulesets("CARD", ["Won", "Invoice sent", "Lost"])
    return st.lists(
        st.tuples(deeds, places, places, st.fixed_dictionaries({}, optional=told), words, STAGES, rule), max_size=8
    )


def edit(draft, deed, first, second, told, name, stage, rule, by):
    """Do one edit as the builder does it."""
    steps, removed = draft.design["steps"], draft.design["removed"]
    step, other = steps[first % len(steps)]["id"], steps[second % len(steps)]["id"]
    if deed == "add":
        draft.add_step(name=name, stage=stage, by=by)
    elif deed == "move":
        draft.move_step(step, second, by=by)
    elif deed == "set":
        draft.set_step(step, **told, by=by)
    elif deed == "lead":
        draft.set_step(step, timeout_hours=5, timeout_to=other, by=by)
    elif deed == "remove":
        draft.remove_step(step, to=other if other != step else None, by=by)
    elif deed == "keep" and removed:
        draft.keep_step(removed[first % len(removed)]["id"], by=by)
    elif deed == "rule":
        draft.set_ruleset(rule, by=by)
    elif deed == "describe":
        draft.describe(name=name, type="sales", by=by)


@quick
@given(data=st.data())
def test_any_edit_in_the_builder_is_a_valid_document_and_means_what_was_drawn(data, business, workflow, by):
    with transaction.atomic():
        draft = Draft.begin(workflow, by=by)
        for one in data.draw(edits(business)):
            draft = Draft.begin(workflow, by=by)
            try:
                with transaction.atomic():
                    edit(draft, *one, by=by)
            except ValidationError:
                continue  # refused in words, and nothing of it is kept
            document = Draft.of(workflow).document
            wrong = {problem.code for problem in checking.check(document) if problem.severity == "error"}
            assert wrong <= TOLD
        now = Workflow.objects.get(pk=workflow.pk)
        draft = Draft.of(now)
        if any(problem.severity == "error" for problem in draft.problems()):
            with pytest.raises(Unfit):
                now.publish(draft, by=by)
        else:
            drawn = draft.design
            kept = now.publish(draft, by=by)
            now = Workflow.objects.get(pk=workflow.pk)
            assert [step["name"] for step in design_of(now)["steps"]] == [step["name"] for step in drawn["steps"]]
            assert Draft.of_document(now, kept.document).design == design_of(now)
        transaction.set_rollback(True)


@quick
@given(first=any_document(), second=any_document())
def test_a_version_that_is_published_left_and_restored_differs_in_nothing_from_itself(first, second, workflow, by):
    with transaction.atomic():
        versions = []
        for document in (first, second, None):
            now = Workflow.objects.get(pk=workflow.pk)
            draft = Draft.adopt(now, versions[0].document if document is None else document, by=by)
            assert not [problem for problem in draft.problems() if problem.severity == "error"]
            versions.append(now.publish(draft, by=by))
        shelf = shelf_of(workflow)
        assert documents.compare(versions[0].document, versions[2].document, shelf) == []
        assert [one.version for one in versions] == ["1.0", "1.1", "1.2"]
        transaction.set_rollback(True)
