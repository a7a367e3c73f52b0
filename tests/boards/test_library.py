"""The libraries: statuses, triggers and closing reasons of a business."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import Event
from boards.models import Phase, Reason, Status, Trigger
from boards.models.library import stock
from tests.factories import UserFactory, actor, make_business


def test_a_new_business_finds_its_libraries_filled(transactional_db):
    business = make_business()
    assert Status.objects.filter(business=business, stage="cancelled").exists()
    assert Trigger.objects.get(business=business, key="payment_received").name == "Payment received"
    assert {reason.caused_by for reason in Reason.objects.filter(business=business)} == {"customer", "us"}


def test_filling_twice_fills_once(business):
    stock(business)
    count = Status.objects.filter(business=business).count()
    stock(business)
    assert Status.objects.filter(business=business).count() == count
    assert Event.objects.filter(business=business, name="library.stocked").count() == 1


def test_a_name_stands_in_the_library_once_in_any_spelling(business, owner):
    Status.create(business, name="Packing", by=actor(owner))
    with pytest.raises(ValidationError, match="has “PACKING” already"):
        Status.create(business, name=" PACKING ", by=actor(owner))


def test_another_business_has_its_own_library(business, owner, stranger):
    Status.create(business, name="Packing", by=actor(owner))
    Status.create(stranger.business, name="Packing", by=actor(stranger))
    assert Status.objects.filter(name="Packing").count() == 2


def test_renaming_a_status_offers_to_rename_its_phases(business, owner, workflow):
    status = Status.create(business, name="Packing", by=actor(owner))
    same = Phase.create(workflow, name="Packing", status=status, by=actor(owner))
    own_name = Phase.create(workflow, name="Boxing up", status=status, by=actor(owner))
    status.update(name="Wrapping", by=actor(owner))
    assert Phase.objects.get(pk=same.pk).name == "Packing"
    status.update(name="Packing", by=actor(owner))
    status.update(name="Wrapping", rename_phases=True, by=actor(owner))
    assert Phase.objects.get(pk=same.pk).name == "Wrapping"
    assert Phase.objects.get(pk=own_name.pk).name == "Boxing up"


def test_a_retired_status_leaves_the_boards_as_they_are(business, owner, workflow):
    status = Status.create(business, name="Packing", by=actor(owner))
    phase = Phase.create(workflow, name="Packing", status=status, by=actor(owner))
    status.retire(by=actor(owner))
    status.retire(by=actor(owner))
    assert Phase.objects.get(pk=phase.pk).status == status
    assert status not in Status.objects.live()
    status.bring_back(by=actor(owner))
    assert status in Status.objects.live()
    assert [e.name for e in Event.objects.about(status)] == ["status.restored", "status.retired", "status.created"]


def test_the_key_of_a_trigger_comes_from_its_name_and_stays(business, owner):
    trigger = Trigger.create(business, name="Deposit arrived!", by=actor(owner))
    assert trigger.key == "deposit_arrived"
    trigger.update(name="Deposit is here", by=actor(owner))
    assert Trigger.objects.get(pk=trigger.pk).key == "deposit_arrived"
    with pytest.raises(ValidationError, match="deposit_arrived"):
        Trigger.create(business, name="Deposit arrived", by=actor(owner))


def test_staff_look_and_managers_change(business, staff, manager):
    with pytest.raises(PermissionDenied):
        Status.create(business, name="Packing", by=actor(staff))
    Status.create(business, name="Packing", by=actor(manager))


@pytest.mark.parametrize(
    "bad", [{"name": ""}, {"name": "x" * 81}, {"name": "A", "stage": "odd"}, {"name": "A", "tint": 9}]
)
def test_a_senseless_status_is_refused(business, owner, bad):
    with pytest.raises(ValidationError):
        Status.create(business, by=actor(owner), **bad)
    assert not Status.objects.filter(business=business).exists()


def test_a_reason_says_whose_doing_it_was(business, owner):
    reason = Reason.create(business, name="Lost our drawings", caused_by="us", by=actor(owner))
    assert reason.get_caused_by_display() == "Us"


def test_people_do_not_matter_to_a_library(business, owner):
    UserFactory()
    assert str(Reason.create(business, name="Weather", by=actor(owner))) == "Weather"


def test_a_description_has_an_end_whoever_writes_it(business, owner):
    with pytest.raises(ValidationError, match="1000"):
        Status.create(business, name="Long", description="x" * 1001, by=actor(owner))
    with pytest.raises(ValidationError, match="500"):
        Trigger.create(business, name="Long", description="x" * 501, by=actor(owner))
