"""People are told what they should know: once, in the inbox at once, by mail as each of them likes."""

from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.urls import reverse

from accounts.actor import Actor
from accounts.events import tell
from accounts.models import Event
from automations.models import Delivery, MailTemplate, Notification, Preference, Rule, Webhook
from automations.trying import try_on
from boards.models import Card, Comment
from tests.factories import actor, make_card

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def phases(workflow, owner):
    """Return the workflow's phases, of which the third is called Lost."""
    workflow.phases.all()[2].update(name="Lost", by=actor(owner))
    return list(workflow.phases.all())


@pytest.fixture
def card(phases):
    """Return a card."""
    return make_card(phases[0], "Oak table")


@pytest.fixture
def alarm(business, owner):
    """Return a function that makes the rule of a lost package: somebody is notified."""

    def make(to="everybody", **action):
        action = {"type": "notify", "to": to, **action}
        document = {"trigger": "state_changed", "conditions": {"new_state": "lost"}, "actions": [action]}
        return Rule.create(business, document, name="Package lost", by=actor(owner))

    return make


def texts(member):
    return list(Notification.objects.filter(member=member).values_list("text", flat=True))


def mails(member):
    return Delivery.objects.filter(kind=Delivery.MAIL, to=member.user.email)


# What rules tell --------------------------------------------------------------------------------------


def test_a_lost_package_alerts_the_team(alarm, card, phases, owner, manager, staff, viewer):
    alarm(text="{{ card.name }} is lost")
    card.move(phases[2], by=actor(staff))
    assert texts(owner) == texts(manager) == texts(staff) == ["Oak table is lost"]
    assert texts(viewer) == []
    (mail,) = mails(manager)
    assert mail.subject == "Oak table is lost"
    assert f"/brightside/cards/{card.number}/" in mail.body


@pytest.mark.parametrize(
    ("to", "who"),
    [("owners", {"owner"}), ("managers", {"owner", "manager"}), ("Tomás Rivera", {"staff"}), ("assignee", {"staff"})],
)
def test_those_are_told_whom_the_rule_names(alarm, card, phases, owner, manager, staff, to, who):
    card.assign([staff], by=actor(staff))
    alarm(to)
    Card.objects.get(pk=card.pk).move(phases[2], by=actor(staff))
    told = {name for name, member in (("owner", owner), ("manager", manager), ("staff", staff)) if texts(member)}
    assert told == who


def test_trying_a_rule_tells_nobody_and_shows_whom_it_would(alarm, card, owner):
    rule = alarm("owners", text="{{ card.name }} is lost")
    rule.update(document={**rule.document, "conditions": {}}, by=actor(owner))
    trial = try_on(rule, card)
    assert [(one["kind"], one["to"]) for one in trial.shown] == [("notification", "Maren Holt")]
    assert not Notification.objects.exists()
    assert not Delivery.objects.exists()


# What people and failures tell ------------------------------------------------------------------------


def test_who_is_mentioned_is_told_and_not_who_wrote(card, owner, staff):
    Comment.write(card, "Oak or ash, @Tomás Rivera?", by=actor(owner))
    assert texts(staff) == ["Maren Holt mentioned you on Oak table: Oak or ash, @Tomás Rivera?"]
    assert texts(owner) == []
    Comment.write(card, "Hm, @Tomás Rivera", by=actor(staff))
    assert len(texts(staff)) == 1


def test_who_gets_a_card_is_told_once(card, owner, staff):
    event = card.assign([staff], by=actor(owner))
    tell(Event.objects.get(pk=event.pk))
    assert texts(staff) == ["Maren Holt gave you Oak table"]
    card.assign([staff, owner], by=actor(owner))
    assert (len(texts(staff)), texts(owner)) == (1, [])


def test_a_webhook_that_switched_itself_off_is_told_to_those_who_can_mend_it(business, owner, manager, staff):
    webhook = Webhook.create(business, name="Shop", url="https://x.example/", events=["card.moved"], by=actor(owner))
    webhook.disable("it is gone", by=Actor.system(business))
    assert texts(manager) == ["Switched off Shop: it is gone"]
    assert texts(owner) != []
    assert texts(staff) == []


def test_what_somebody_switched_off_themselves_is_no_trouble(business, owner, manager):
    webhook = Webhook.create(business, name="Shop", url="https://x.example/", events=["card.moved"], by=actor(owner))
    webhook.disable(by=actor(owner))
    assert texts(manager) == []


def test_a_rule_that_fails_is_told(business, card, phases, owner, staff):
    MailTemplate.objects.all().delete()
    action = {"type": "send_email", "template": "gone", "to": "customer"}
    document = {"trigger": "state_changed", "conditions": {"new_state": "lost"}, "actions": [action]}
    Rule.create(business, document, name="Sorry", by=actor(owner))
    card.move(phases[2], by=actor(staff))
    assert "There is no mail template “gone”" in texts(owner)[0]


def test_a_notice_that_cannot_be_mailed_is_no_trouble_to_be_mailed_about(
    alarm, card, phases, owner, manager, letterbox, staff
):
    Preference.of(manager).update(ways={"trouble": "now"}, by=actor(manager))
    alarm("managers")
    card.move(phases[2], by=actor(staff))
    letterbox.answer = "550 No such mailbox"
    for _ in range(3):
        for delivery in Delivery.objects.open():
            Delivery.carry(delivery.pk)
    assert set(Delivery.objects.values_list("state", flat=True)) == {Delivery.GIVEN_UP}
    assert len(texts(manager)) == 1


# How people like it -----------------------------------------------------------------------------------


def test_nobody_is_mailed_who_does_not_want_to(alarm, card, phases, staff):
    Preference.of(staff).update(ways={"rule": "never"}, by=actor(staff))
    alarm()
    card.move(phases[2], by=actor(staff))
    assert texts(staff)
    assert not mails(staff)


def test_in_quiet_hours_a_mail_waits_for_their_end(alarm, card, phases, staff, business):
    preference = Preference.of(staff)
    preference.update(quiet_from=time(20), quiet_until=time(7), by=actor(staff))
    alarm()
    with time_machine.travel(datetime(2026, 11, 20, 23, 30, tzinfo=UTC), tick=False):
        card.move(phases[2], by=actor(staff))
        assert mails(staff).get().due_at == datetime(2026, 11, 21, 7, tzinfo=UTC)
    asked = [preference.quiet(datetime(2026, 11, 20, hour, tzinfo=UTC)) for hour in (6, 7, 19, 20)]
    assert asked == [timedelta(hours=1), timedelta(0), timedelta(0), timedelta(hours=11)]


def test_the_days_mail_comes_once_at_its_hour_with_all_that_is_unread(card, owner, staff):
    with time_machine.travel(datetime(2026, 11, 20, 7, 30, tzinfo=UTC), tick=False) as clock:
        card.assign([staff], by=actor(owner))
        assert Notification.mail_digests() == 0
        clock.move_to(datetime(2026, 11, 20, 8, 1, tzinfo=UTC))
        assert Notification.mail_digests() == 1
        assert Notification.mail_digests() == 0
        mail = mails(staff).get()
        assert mail.subject == "1 new in Brightside Joinery"
        assert "Maren Holt gave you Oak table" in mail.body
        card.assign([], by=actor(owner))
        card.assign([staff], by=actor(owner))
        assert Notification.mail_digests() == 0
        clock.move_to(datetime(2026, 11, 21, 8, 1, tzinfo=UTC))
        assert Notification.mail_digests() == 1


def test_what_was_read_is_not_mailed(card, owner, staff):
    card.assign([staff], by=actor(owner))
    Notification.tick_off(staff, by=actor(staff))
    with time_machine.travel(datetime(2030, 1, 1, 9, tzinfo=UTC)):
        assert Notification.mail_digests() == 0


def test_a_mail_that_waits_for_the_morning_does_not_leave_when_it_was_read_at_night(card, owner, staff):
    Preference.of(staff).update(ways={"assigned": "now"}, quiet_from=time(20), quiet_until=time(7), by=actor(staff))
    with time_machine.travel(datetime(2026, 11, 20, 23, 30, tzinfo=UTC), tick=False):
        card.assign([staff], by=actor(owner))
        Notification.tick_off(staff, Notification.objects.get(member=staff), by=actor(staff))
        mail = mails(staff).get()
        assert (mail.state, mail.error) == ("stopped", "It was read in the inbox before.")


def test_the_quiet_time_is_over_by_the_clock_also_when_the_clocks_change(staff, business, owner):
    business.update(time_zone="Europe/Berlin", by=actor(owner))
    preference = Preference.of(staff.business.memberships.get(pk=staff.pk))
    preference.update(quiet_from=time(20), quiet_until=time(7), by=actor(staff))
    assert preference.quiet(datetime(2027, 3, 27, 22, tzinfo=UTC)) == timedelta(
        hours=7
    )  # 23:00 to 07:00, one hour less


def test_the_days_mail_keeps_to_the_quiet_time_too(card, owner, staff):
    Preference.of(staff).update(quiet_from=time(20), quiet_until=time(9), by=actor(staff))
    with time_machine.travel(datetime(2026, 11, 20, 8, 30, tzinfo=UTC), tick=False):
        card.assign([staff], by=actor(owner))
        assert Notification.mail_digests() == 1
        assert mails(staff).get().due_at == datetime(2026, 11, 20, 9, tzinfo=UTC)


def test_whose_card_it_is_hears_of_comments_once(card, owner, manager, staff):
    card.assign([staff, manager], by=actor(owner))
    Notification.objects.all().delete()
    Comment.write(card, f"Oak or ash, @{manager.user.name}?", by=actor(owner))
    Comment.write(card, "Oak.", by=actor(staff))
    said = "Maren Holt commented on Oak table: Oak or ash, @Priya Nair?"
    assert texts(staff) == [said]
    assert sorted(texts(manager)) == [
        "Maren Holt mentioned you on Oak table: Oak or ash, @Priya Nair?",
        "Tomás Rivera commented on Oak table: Oak.",
    ]


def test_a_kind_can_be_left_out_but_for_what_fails(card, owner, staff):
    Preference.of(staff).update(ways={"assigned": "nowhere"}, by=actor(staff))
    card.assign([staff], by=actor(owner))
    assert texts(staff) == []
    with pytest.raises(ValidationError):
        Preference.of(staff).update(ways={"trouble": "nowhere"}, by=actor(staff))


def test_a_mail_says_where_the_thing_is_and_where_to_choose(business, card, phases, owner, settings):
    settings.BASE_URL = "https://phasewise.test"
    Preference.of(owner).update(ways={"trouble": "now"}, by=actor(owner))
    label = {"type": "add_label", "label": "Nowhere"}
    rule = Rule.create(business, {"trigger": "state_changed", "actions": [label]}, by=actor(owner))
    card.move(phases[1], by=actor(owner))
    body = mails(owner).get().body
    assert f"https://phasewise.test/brightside/rules/runs/{rule.runs.get().pk}/" in body
    assert "https://phasewise.test/brightside/inbox/" in body


def test_who_has_left_gets_no_mail_any_more(alarm, card, phases, staff, owner):
    alarm()
    card.move(phases[2], by=actor(owner))
    assert mails(staff)
    staff.delete()
    assert not mails(staff)


@pytest.mark.parametrize(
    "change", [{"ways": {"rule": "pigeon"}}, {"ways": {"weather": "now"}}, {"quiet_from": time(20)}]
)
def test_what_cannot_be_chosen_is_refused(staff, change):
    with pytest.raises(ValidationError):
        Preference.of(staff).update(**change, by=actor(staff))


def test_nobody_chooses_or_reads_for_others(staff, owner):
    with pytest.raises(ValidationError):
        Preference.of(staff).update(ways={}, by=actor(owner))
    with pytest.raises(ValidationError):
        Notification.tick_off(staff, by=actor(owner))


# The inbox --------------------------------------------------------------------------------------------


def test_the_inbox_shows_what_is_new_and_ticks_it_off(browse, card, owner, staff, business):
    card.assign([staff], by=actor(owner))
    client, here = browse(staff), reverse("inbox", args=[business.slug])
    page = client.get(here).content.decode()
    assert "Maren Holt gave you Oak table" in page
    assert 'class="rail__count"' in page
    page = client.post(reverse("inbox_read", args=[business.slug]), follow=True).content.decode()
    assert "is-unread" not in page
    assert 'class="rail__count"' not in page
    assert "Maren Holt gave you" not in browse(owner).get(here).content.decode()


def test_one_thing_is_ticked_off_by_whose_it_is(browse, card, owner, staff, manager, business):
    card.assign([staff], by=actor(owner))
    note, to = Notification.objects.get(member=staff), reverse("inbox_read", args=[business.slug])
    assert browse(manager).post(to, {"note": note.pk}).status_code == 404
    assert browse(staff).post(to, {"note": "moon"}).status_code == 404
    assert (
        f'name="note" value="{note.pk}"' in browse(staff).get(reverse("inbox", args=[business.slug])).content.decode()
    )
    browse(staff).post(to, {"note": note.pk})
    note.refresh_from_db()
    assert note.read_at


def test_choices_are_saved_or_refused_in_words(browse, staff, business):
    client, to = browse(staff), reverse("inbox_choose", args=[business.slug])
    chosen = {"way_rule": "digest", "way_mention": "never", "way_comment": "nowhere", "way_assigned": "now"}
    chosen |= {"way_trouble": "never"}
    client.post(to, chosen | {"quiet_from": "20:00", "quiet_until": "07:00", "digest_at": "09:00"})
    preference = Preference.of(staff)
    assert (preference.way("rule"), preference.quiet_from, preference.digest_at) == ("digest", time(20), time(9))
    answer = client.post(to, chosen | {"quiet_from": "20:00", "quiet_until": "", "digest_at": "09:00"})
    assert answer.status_code == 422
    assert "Say both when it begins and when it ends." in answer.content.decode()
