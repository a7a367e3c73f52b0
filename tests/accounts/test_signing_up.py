"""Signing up: person and business together, or person and membership, or neither."""

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.exceptions import ValidationError
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from accounts.models import Business, Event, User
from tests.factories import PASSWORD, UserFactory, actor, make_business

pytestmark = pytest.mark.django_db
SIGN_UP = "/accounts/signup/"
ADA = {
    "name": "Ada Lovelace",
    "email": "Ada@Engines.test",
    "password1": "analytical engine no 1",
    "business_name": "Engines & Sons",
    "slug": "",
    "time_zone": "Europe/London",
    "currency": "GBP",
}


@pytest.fixture
def invitation(business, owner):
    """An open invitation of Nora, as staff."""
    return business.invite("nora@example.test", "staff", by=actor(owner))[0]


def link(invitation):
    return reverse("invitation", args=[invitation.secret])


def wrong(answer):
    return answer.context["form"].errors


def test_it_makes_the_person_and_their_business(client):
    answer = client.post(SIGN_UP, ADA, follow=True)

    person, business = User.objects.get(), Business.objects.get()
    assert (person.name, person.email) == ("Ada Lovelace", "ada@engines.test")
    assert person.check_password(ADA["password1"])
    assert (business.name, business.slug) == ("Engines & Sons", "engines-sons")
    assert (business.time_zone, business.currency) == ("Europe/London", "GBP")
    assert business.memberships.get().role == "owner"
    assert Event.objects.get().name == "business.founded"
    assert answer.redirect_chain[-1][0] == "/engines-sons/"


def test_the_page_asks_for_one_password_and_lets_the_browser_propose_the_zone(client):
    page = client.get(SIGN_UP)
    assertContains(page, 'name="password1"')
    assertNotContains(page, 'name="password2"')
    assertContains(page, "<own-zone>")
    assertContains(page, '<optgroup label="Europe">')
    assertContains(page, "GBP, British Pound")


def test_a_typed_address_is_kept(client):
    client.post(SIGN_UP, ADA | {"slug": "Engines"})
    assert Business.objects.get().slug == "engines"


@pytest.mark.parametrize(
    ("name", "slug"), [("Engines", "engines-2"), ("Admin", "admin-2"), ("大工", "workspace"), ("a_b", "a-b")]
)
def test_an_address_is_proposed_that_is_free(name, slug, client):
    make_business(slug="engines")
    client.post(SIGN_UP, ADA | {"business_name": name})
    assert Business.objects.latest("created_at").slug == slug


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"slug": "taken"}, "slug", "taken"),
        ({"slug": "admin"}, "slug", "used by Phasewise itself"),
        ({"slug": "invitations"}, "slug", "used by Phasewise itself"),
        ({"slug": "no spaces"}, "slug", "small letters"),
        ({"slug": "-x-"}, "slug", "small letters"),
        ({"business_name": ""}, "business_name", "required"),
        ({"business_name": "x" * 121}, "business_name", "at most 120"),
        ({"name": ""}, "name", "required"),
        ({"name": "nul\x00l"}, "name", "Null"),
        ({"email": "nonsense"}, "email", "valid"),
        ({"password1": "short"}, "password1", "too short"),
        ({"password1": "ada@engines.test"}, "password1", "similar"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "Select a valid choice"),
        ({"currency": "DEM"}, "currency", "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_nothing_is_made(typed, field, said, client):
    make_business(slug="taken")
    before = User.objects.count()
    answer = client.post(SIGN_UP, ADA | typed)
    assert said.lower() in str(wrong(answer)[field]).lower()
    assertContains(answer, 'value="Ada@Engines.test"' if "email" not in typed else 'value="nonsense"')
    assert (User.objects.count(), Business.objects.count()) == (before, 1)


def test_an_address_taken_between_check_and_save_leaves_no_person_behind(client, monkeypatch):
    def too_late(*args, **kwargs):
        raise ValidationError({"slug": "This address is taken. Choose another."})

    monkeypatch.setattr(type(Business.objects), "found", too_late)
    answer = client.post(SIGN_UP, ADA)
    assert answer.status_code == 422
    assertContains(answer, "This address is taken", status_code=422)
    assert not User.objects.exists()
    assert not EmailAddress.objects.exists()


def test_the_database_has_the_last_word_on_an_address():
    business = make_business(slug="first")
    other = Business(name="Other", slug="first")
    other.full_clean = lambda: None  # checked before the first was there
    from accounts.models.business import _slug_taken_meanwhile

    with pytest.raises(ValidationError, match="taken"), _slug_taken_meanwhile():
        other.save(force_insert=True)
    assert Business.objects.get() == business


# Who has an account -----------------------------------------------------------------------------------
def test_with_mails_confirmed_signing_up_tells_nobody_who_is_here(client, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    UserFactory(email="ada@engines.test")

    known = client.post(SIGN_UP, ADA)
    fresh = client.post(SIGN_UP, ADA | {"email": "new@engines.test"})

    assert (known.status_code, known.url) == (fresh.status_code, fresh.url)
    assert [letter.to for letter in mail.outbox] == [["ada@engines.test"], ["new@engines.test"]]
    assert "already" in mail.outbox[0].body
    assert Business.objects.count() == 1  # the newcomer's


def test_a_mail_server_that_is_away_stops_nobody(client, monkeypatch):
    def away(*args, **kwargs):
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", away)
    answer = client.post(SIGN_UP, ADA)
    assert answer.status_code == 302
    assert Business.objects.count() == 1


def test_too_many_sign_ups_from_one_place_get_429(client):
    for _ in range(20):
        client.post(SIGN_UP, {})
    answer = client.post(SIGN_UP, ADA)
    assertContains(answer, "Too many tries", status_code=429)
    assert not User.objects.exists()


# A further business -----------------------------------------------------------------------------------
def test_who_is_signed_in_founds_a_further_business(browse, owner):
    client = browse(owner)
    assertRedirects(client.get(SIGN_UP), reverse("found"))

    answer = client.post(
        reverse("found"), {key: ADA[key] for key in ("business_name", "slug", "time_zone", "currency")}
    )

    assert answer.url == "/engines-sons/"
    assert {one.business.slug for one in owner.user.memberships.all()} == {"brightside", "engines-sons"}


def test_a_further_business_with_a_taken_address_is_refused_at_the_field(browse, owner):
    answer = browse(owner).post(reverse("found"), ADA | {"slug": "brightside"})
    assert answer.status_code == 422
    assert "taken" in str(wrong(answer)["slug"])
    assert Business.objects.count() == 1


def test_nobody_founds_without_signing_in(client):
    assert client.get(reverse("found")).url == "/accounts/login/?next=/businesses/new/"


# By invitation ----------------------------------------------------------------------------------------
def test_the_link_says_who_invites_to_what_as_what(client, invitation):
    page = client.get(link(invitation))
    for words in ("Maren Holt", "Brightside Joinery", "staff", "nora@example.test"):
        assertContains(page, words)
    assertContains(page, f"{SIGN_UP}?next=%2Finvitations%2F")


def test_who_signs_up_by_invitation_joins_and_founds_nothing(client, invitation, business):
    here = f"{SIGN_UP}?next={link(invitation)}"
    page = client.get(here)
    assertContains(page, "Join Brightside Joinery")
    assertNotContains(page, 'name="business_name"')

    answer = client.post(
        SIGN_UP, {"name": "Nora", "password1": ADA["password1"], "next": link(invitation)}, follow=True
    )

    assert answer.redirect_chain[-1][0] == f"/{business.slug}/"
    nora = User.objects.get(email="nora@example.test")
    assert nora.memberships.get().role == "staff"
    assert Business.objects.count() == 1
    assert EmailAddress.objects.get(user=nora).verified  # the link came by mail
    invitation.refresh_from_db()
    assert invitation.accepted_at


def test_the_invited_address_cannot_be_exchanged_on_the_way(client, invitation):
    here = f"{SIGN_UP}?next={link(invitation)}&email=eve@example.test"
    client.post(here, {"name": "Eve", "email": "eve@example.test", "password1": ADA["password1"]})
    assert not User.objects.filter(email="eve@example.test").exists()


def test_by_invitation_no_further_proof_of_the_address_is_asked(client, invitation, business, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    answer = client.post(
        SIGN_UP, {"name": "Nora", "password1": ADA["password1"], "next": link(invitation)}, follow=True
    )
    assert answer.redirect_chain[-1][0] == f"/{business.slug}/"


def test_signing_in_by_the_link_leads_back_to_it_and_joining_is_a_click(client, invitation, business):
    nora = UserFactory(email="nora@example.test")
    assertContains(client.get(link(invitation)), "Sign in to join")

    answer = client.post(
        "/accounts/login/", {"login": nora.email, "password": PASSWORD, "next": link(invitation)}, follow=True
    )
    assertContains(answer, "Join Brightside Joinery")
    answer = client.post(reverse("invitation_accept", args=[invitation.secret]))

    assert answer.url == f"/{business.slug}/"
    assert nora.memberships.get().role == "staff"
    assert Event.objects.first().name == "member.joined"
    assertRedirects(client.get(link(invitation)), f"/{business.slug}/", fetch_redirect_response=False)


def test_looking_at_the_link_changes_nothing(client, invitation):
    nora = UserFactory(email="nora@example.test")
    client.force_login(nora)
    client.get(link(invitation))
    assert not nora.memberships.exists()
    assert client.get(reverse("invitation_accept", args=[invitation.secret])).status_code == 405


def test_somebody_else_is_told_in_words_and_does_not_get_in(client, invitation):
    eve = UserFactory(email="eve@example.test")
    client.force_login(eve)
    assertContains(client.get(link(invitation)), "this invitation is for nora@example.test")
    answer = client.post(reverse("invitation_accept", args=[invitation.secret]))
    assertContains(answer, "This invitation is for nora@example.test", status_code=422)
    assert not eve.memberships.exists()


def test_accepting_twice_makes_one_member(client, invitation, business):
    nora = UserFactory(email="nora@example.test")
    client.force_login(nora)
    for _ in range(2):
        client.post(reverse("invitation_accept", args=[invitation.secret]))
    assert nora.memberships.count() == 1
    assert Event.objects.filter(name="member.joined").count() == 1


@pytest.mark.parametrize("state", ["withdrawn", "used", "old"])
def test_a_link_that_is_over_says_so_and_lets_nobody_in(client, invitation, owner, state):
    nora = UserFactory(email="nora@example.test")
    secret = invitation.secret
    if state == "withdrawn":
        invitation.withdraw(by=actor(owner))
    elif state == "used":
        invitation.accept(nora)
        nora.memberships.get().remove(by=actor(owner))
    else:
        invitation.invited_at -= invitation.LIFETIME
        invitation.save()
    there = reverse("invitation", args=[secret])

    assertContains(client.get(there), "This invitation is over", status_code=410)
    client.post(SIGN_UP, {"name": "Nora", "password1": ADA["password1"], "next": there})
    client.force_login(nora)
    assert client.post(reverse("invitation_accept", args=[secret])).status_code == 422
    assert not nora.memberships.exists()


def test_a_made_up_link_is_not_found(client, db):
    assert client.get("/invitations/nonsense/").status_code == 404
    assert client.get("/invitations/%00/").status_code == 404
    assertContains(client.get(f"{SIGN_UP}?next=/invitations/nonsense/"), 'name="business_name"')
