"""The demo business, told anew: on any day, and under a password of one's own."""

import io
from datetime import timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Business, User
from automations.demo.story import PEOPLE
from automations.wholeness import ask

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def demo(**options) -> str:
    out = io.StringIO()
    call_command("demo", stdout=out, **options)
    return out.getvalue()


def test_the_well_known_password_is_refused_where_others_may_come_in(settings):
    settings.EMBEDDED = False
    with pytest.raises(CommandError, match="known to everybody"):
        demo()
    assert not Business.objects.exists()


@pytest.mark.parametrize("moment", ["2027-01-01 00:05", "2028-02-29 23:50", "2027-03-28 06:00"])
def test_told_on_any_day_it_is_whole_and_in_order_and_opens_to_ones_own_password(moment, settings):
    settings.EMBEDDED = False
    with time_machine.travel(f"{moment}+01:00", tick=False):
        assert "of my own" in demo(password="of my own")
        assert User.objects.get(email=PEOPLE[0].email).check_password("of my own")
        now = timezone.now()
        for business in Business.objects.all():
            assert ask(business) == []
            ledger = list(business.events.order_by("sequence").values_list("at", flat=True))
            assert ledger == sorted(ledger)
            assert ledger[-1] <= now
            assert ledger[-1] > now - timedelta(days=4)
