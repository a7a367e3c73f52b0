"""The members page: who belongs here, who is invited, who goes."""

import re

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_ox.models import OxTask
from django_ox.testing import run_tasks
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from accounts.models import Event, Invitation, Membership
from tests.factories import UserFactory, actor, join

pytestmark = pytest.mark.django_db


def at(name, business, *args):
    return reverse(name, args=[business.slug, *args])


@pytest.fixture
def invitation(business, owner):
    """An open invitation of Nora, as staff, whose mail is still to leave."""
    return business.invite("nora@example.test", "staff", by=actor(owner))[0]


# Looking ----------------------------------------------------------------------------------------------
def test_it_lists_everybody_with_role(browse, business, owner, manager, staff, viewer):
    page = browse(owner).get(at("members", business))
    for member in (owner, manager, staff, viewer):
        assertContains(page, str(member))
        assertContains(page, member.get_role_display())


def test_a_viewer_may_not_look_and_a_stranger_finds_nothing(browse, business, viewer, stranger):
    assert browse(viewer).get(at("members", business)).status_code == 403
    assert browse(stranger).get(at("members", business)).status_code == 404


def test_staff_see_who_is_there_but_nothing_to_change_it_with(browse, business, owner, staff, invitation):
    page = browse(staff).get(at("members", business))
    assertContains(page, owner.user.name)
    assertNotContains(page, invitation.email)
    assertNotContains(page, at("member_invite", business))
    assertNotContains(page, at("member_role", business, owner.pk))


def test_a_manager_is_offered_only_what_is_below(browse, business, owner, manager, staff):
    page = browse(manager).get(at("members", business))
    assertContains(page, at("member_role", business, staff.pk))
    assertNotContains(page, at("member_role", business, owner.pk))
    assertNotContains(page, 'value="owner"')
    assertNotContains(page, 'value="manager"')


def test_ten_times_the_members_cost_no_more_queries(browse, business, owner):
    client = browse(owner)
    client.get(at("members", business))

    def count():
        with CaptureQueriesContext(connection) as queries:
            client.get(at("members", business))
        return len(queries)

    join(business, "staff")
    business.invite("a@example.test", "staff", by=actor(owner))
    few = count()
    for number in range(20):
        join(business, "staff")
        business.invite(f"b{number}@example.test", "staff", by=actor(owner))
    assert count() == few


# Inviting ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_an_invitation_is_made_and_its_mail_leaves_with_the_worker(browse, business, owner, headers):
    there = {"email": "Nora@Example.test", "role": "staff"}
    answer = browse(owner, **headers).post(at("member_invite", business), there)

    assert answer.status_code == (200 if headers else 302)
    invitation = business.invitations.get()
    assert (invitation.email, invitation.role, invitation.sent_at) == ("nora@example.test", "staff", None)
    assert mail.outbox == []

    run_tasks(raise_failures=True)

    letter = mail.outbox[0]
    assert letter.to == ["nora@example.test"]
    assert letter.subject == "Maren Holt invites you to Brightside Joinery"
    link = re.search(r"http://testserver(/invitations/\S+)", letter.body)[1]
    assert link in letter.alternatives[0].content
    assert Invitation.by_secret(link.split("/")[2]) == invitation
    invitation.refresh_from_db()
    assert invitation.sent_at


def test_neither_the_row_nor_the_waiting_task_holds_the_secret(business, owner):
    _, secret = business.invite("nora@example.test", "staff", by=actor(owner))
    assert secret not in str(vars(Invitation.objects.get()))
    assert secret not in str([vars(task) for task in OxTask.objects.all()])
    assert Invitation.objects.get().secret == secret


def test_base_url_goes_before_the_host_of_the_request(browse, business, owner, settings):
    settings.BASE_URL = "https://phasewise.example"
    browse(owner).post(at("member_invite", business), {"email": "nora@example.test", "role": "staff"})
    run_tasks(raise_failures=True)
    assert "https://phasewise.example/invitations/" in mail.outbox[0].body


def test_a_refused_invitation_leaves_no_mail_behind(browse, business, manager):
    answer = browse(manager).post(at("member_invite", business), {"email": "nora@example.test", "role": "owner"})
    assert answer.status_code == 422
    assertContains(answer, "nora@example.test", status_code=422)
    run_tasks()
    assert mail.outbox == []
    assert not business.invitations.exists()


def test_a_name_with_line_breaks_cannot_write_headers(business, owner):
    owner.user.rename("Maren\nBcc: all@example.test")
    business.invite("nora@example.test", "staff", by=actor(owner))
    run_tasks(raise_failures=True)
    assert "\n" not in mail.outbox[0].subject


@pytest.mark.parametrize(
    ("email", "said"), [("nonsense", "valid email"), ("tomas@brightside.test", "already a member")]
)
def test_a_bad_address_is_told_at_its_field(browse, business, owner, email, said):
    join(business, "staff", email="tomas@brightside.test")
    answer = browse(owner).post(at("member_invite", business), {"email": email, "role": "staff"})
    assert answer.status_code == 422
    assert said in str(answer.context["form"].errors["email"])


def test_inviting_twice_makes_one_letter_of_two_and_the_old_link_dies(business, owner):
    _, first = business.invite("nora@example.test", "staff", by=actor(owner))
    _, second = business.invite("nora@example.test", "viewer", by=actor(owner))
    run_tasks(raise_failures=True)
    assert len(mail.outbox) == 1
    assert second in mail.outbox[0].body
    assert Invitation.by_secret(first) is None
    assert Invitation.by_secret(second).role == "viewer"


def test_sending_again_brings_a_new_link_and_a_new_date(browse, business, owner, invitation):
    run_tasks(raise_failures=True)
    old = invitation.secret
    Invitation.objects.update(invited_at=timezone.now() - Invitation.LIFETIME)
    assertContains(browse(owner).get(at("members", business)), "Too old")

    browse(owner).post(at("invitation_send", business, invitation.pk))
    run_tasks(raise_failures=True)

    assert len(mail.outbox) == 2
    invitation.refresh_from_db()
    assert invitation.secret != old
    assert invitation.is_open


def test_a_withdrawn_invitation_is_not_mailed_and_opens_nothing(browse, business, owner, invitation):
    browse(owner).post(at("invitation_withdraw", business, invitation.pk))
    run_tasks(raise_failures=True)
    assert mail.outbox == []
    assertContains(Client().get(reverse("invitation", args=[invitation.secret])), "withdrawn", status_code=410)


def test_there_is_an_end_to_how_many_a_day(business, owner, monkeypatch):
    monkeypatch.setattr(Invitation, "A_DAY", 2)
    for name in "ab":
        business.invite(f"{name}@example.test", "staff", by=actor(owner))
    with pytest.raises(Exception, match="one day"):
        business.invite("c@example.test", "staff", by=actor(owner))


def test_what_a_changed_secret_key_would_break_is_not_mailed(invitation, settings):
    settings.SECRET_KEY = "another one " * 5
    run_tasks()
    assert mail.outbox == []


# Roles ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_an_owner_changes_a_role(browse, business, owner, staff, headers):
    answer = browse(owner, **headers).post(at("member_role", business, staff.pk), {"role": "manager"})
    assert answer.status_code == (200 if headers else 302)
    staff.refresh_from_db()
    assert staff.role == "manager"
    assert Event.objects.first().details == {"name": str(staff), "before": "staff", "after": "manager"}


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_the_last_owner_stays_owner_and_is_told_why(browse, business, owner, headers):
    client = browse(owner, **headers)
    answer = client.post(at("member_role", business, owner.pk), {"role": "staff"})
    said = answer if headers else client.get(answer.url)
    assertContains(said, "A business needs an owner", status_code=422 if headers else 200)
    assertContains(said, 'id="people"', status_code=422 if headers else 200)
    owner.refresh_from_db()
    assert owner.role == "owner"


def test_who_gives_away_their_own_role_goes_where_they_may_still_be(browse, business, owner, manager):
    answer = browse(owner).post(at("member_role", business, owner.pk), {"role": "viewer"})
    assert answer.status_code == 302  # nobody else owns it
    join(business, "owner")
    assertRedirects(
        browse(owner).post(at("member_role", business, owner.pk), {"role": "viewer"}),
        at("home", business),
        fetch_redirect_response=False,
    )


@pytest.mark.parametrize("role", ["owner", "manager"])
def test_a_manager_gives_no_role_like_their_own(browse, business, manager, staff, role):
    answer = browse(manager, **{"HX-Request": "true"}).post(at("member_role", business, staff.pk), {"role": role})
    assertContains(answer, "Only an owner may give or take this role", status_code=422)


def test_a_manager_takes_no_role_from_an_owner(browse, business, owner, manager):
    answer = browse(manager, **{"HX-Request": "true"}).post(at("member_role", business, owner.pk), {"role": "viewer"})
    assert answer.status_code == 422


def test_an_unknown_role_is_refused(browse, business, owner, staff):
    answer = browse(owner, **{"HX-Request": "true"}).post(at("member_role", business, staff.pk), {"role": "king"})
    assertContains(answer, "does not exist", status_code=422)


@pytest.mark.parametrize("name", ["member_role", "member_remove"])
def test_members_of_others_are_not_found(browse, business, owner, stranger, name):
    assert browse(owner).post(at(name, business, stranger.pk), {"role": "viewer"}).status_code == 404


@pytest.mark.parametrize("name", ["member_role", "member_remove"])
def test_staff_and_viewers_are_refused(browse, business, owner, staff, viewer, name):
    for member in (staff, viewer):
        assert browse(member).post(at(name, business, owner.pk), {"role": "viewer"}).status_code == 403
    assert business.memberships.count() == 3


# Going ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_the_sessions_of_who_is_removed_end_at_once(browse, business, owner, staff, headers):
    theirs = browse(staff, **headers)
    assert theirs.get(at("members", business)).status_code == 200

    browse(owner).post(at("member_remove", business, staff.pk))

    answer = theirs.get(at("members", business))
    assert answer.status_code == 404
    if headers:
        assert answer["HX-Reswap"] == "none"
        assertContains(answer, "toast--error", status_code=404)


def test_removing_the_last_owner_is_refused_in_words(browse, business, owner):
    admin = actor(owner)
    with pytest.raises(Exception, match="needs an owner"):
        owner.remove(by=admin)
    assert Membership.objects.filter(pk=owner.pk).exists()


def test_a_manager_removes_staff_but_no_owner(browse, business, owner, manager, staff):
    client = browse(manager, **{"HX-Request": "true"})
    assert client.post(at("member_remove", business, staff.pk)).status_code == 200
    assert client.post(at("member_remove", business, owner.pk)).status_code == 422
    assert set(business.memberships.all()) == {owner, manager}


@pytest.mark.parametrize("who", ["manager", "staff", "viewer"])
def test_everybody_may_leave(browse, business, request, who):
    member = request.getfixturevalue(who)
    client = browse(member)
    assertRedirects(client.post(at("member_leave", business)), "/", fetch_redirect_response=False)
    assert client.get(at("settings", business)).status_code == 404
    assert Event.objects.first().name == "member.left"


def test_the_last_owner_cannot_leave_and_is_told_why(browse, business, owner):
    answer = browse(owner).post(at("member_leave", business), follow=True)
    assertContains(answer, "A business needs an owner")
    assert business.memberships.count() == 1


def test_who_left_may_come_back_by_invitation(business, owner, staff):
    person = staff.user
    staff.leave(by=actor(staff))
    invitation, _ = business.invite(person.email, "viewer", by=actor(owner))
    assert invitation.accept(person).role == "viewer"


# Several businesses -----------------------------------------------------------------------------------
def test_the_switcher_shows_every_business_of_a_person_and_where_they_are(browse, business, staff, stranger):
    Membership.objects.create(business=stranger.business, user=staff.user, role="viewer")
    page = browse(staff).get(at("members", business)).content.decode()
    for one in (business, stranger.business):
        assert f'href="/{one.slug}/"' in page
    assert re.search(rf'href="/{business.slug}/" aria-current="true"', page)
    assert not re.search(rf'href="/{stranger.business.slug}/" aria-current="true"', page)


def test_a_person_without_a_business_learns_what_to_do(client, db):
    person = UserFactory()
    client.force_login(person)
    page = client.get("/")
    assertContains(page, "You are in no business yet")
    assertContains(page, reverse("found"))


def test_a_manager_touches_no_invitation_that_is_above_them(browse, business, owner, manager):
    invited, _ = business.invite("boss@example.test", "owner", by=actor(owner))
    client = browse(manager)
    assertNotContains(client.get(at("members", business)), at("invitation_withdraw", business, invited.pk))
    client.post(at("invitation_withdraw", business, invited.pk))
    client.post(at("invitation_send", business, invited.pk))
    client.post(at("member_invite", business), {"email": "boss@example.test", "role": "viewer"})
    now = Invitation.objects.get()
    assert (now.role, now.withdrawn_at, now.invited_at) == ("owner", None, invited.invited_at)
