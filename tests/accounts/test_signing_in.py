"""The one door: signing in and out, lost passwords, new addresses, the second step, the admin."""

import re

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core import mail
from django.core.cache import cache
from pytest_django.asserts import assertContains, assertRedirects

from accounts.models import User
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
SIGN_IN = "/accounts/login/"
NEW = "a wholly different phrase"


@pytest.fixture
def person(owner):
    """Maren, whose address is confirmed."""
    EmailAddress.objects.create(user=owner.user, email=owner.user.email, primary=True, verified=True)
    return owner.user


def sign_in(client, person, password=PASSWORD, **more):
    return client.post(SIGN_IN, {"login": person.email, "password": password, **more})


def is_in(client):
    return "_auth_user_id" in client.session


def link_in(letter):
    return re.search(r"http://testserver(/\S+)", letter.body)[1]


def prove(client):
    """Type the password again, as sensitive pages ask."""
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})


def code_of(secret):
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


# In and out -------------------------------------------------------------------------------------------
def test_email_and_password_open_the_door(client, person, business):
    answer = sign_in(client, person)
    assert is_in(client)
    assertRedirects(answer, "/", fetch_redirect_response=False)
    assert client.get("/").url == f"/{business.slug}/"


def test_capitals_in_the_address_do_not_matter(client, person):
    client.post(SIGN_IN, {"login": person.email.upper(), "password": PASSWORD})
    assert is_in(client)


def test_a_wrong_password_and_an_unknown_address_are_answered_alike(client, person):
    wrong = sign_in(client, person, "not it")
    unknown = client.post(SIGN_IN, {"login": "nobody@example.test", "password": "not it"})
    assert wrong.context["form"].errors == unknown.context["form"].errors
    assert not is_in(client)


def test_after_too_many_wrong_passwords_even_the_right_one_gets_429(client, person):
    for _ in range(5):
        assert sign_in(client, person, "not it").status_code == 200
    answer = sign_in(client, person)
    assertContains(answer, "Too many tries", status_code=429)
    assert not is_in(client)

    with time_machine.travel("2099-01-01"):
        sign_in(client, person)
    assert is_in(client)


def test_trying_many_addresses_from_one_place_gets_429(client, db):
    answers = [client.post(SIGN_IN, {"login": f"p{n}@example.test", "password": "x"}).status_code for n in range(12)]
    assert answers[:10] == [200] * 10
    assert answers[10:] == [429] * 2


def test_who_may_not_sign_in_any_more_does_not(client, person):
    User.objects.update(is_active=False)
    sign_in(client, person)
    assert not is_in(client)


def test_signing_out_takes_a_click(client, person):
    sign_in(client, person)
    client.get("/accounts/logout/")
    assert is_in(client)
    client.post("/accounts/logout/")
    assert not is_in(client)


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "http://testserver@evil.example/",
    ],
)
def test_next_never_leads_to_another_site(client, person, settings, to):
    settings.ALLOWED_HOSTS = ["*"]
    assert sign_in(client, person, next=to).url == "/"


def test_next_leads_back_to_where_one_was(client, person, business):
    assert client.get(f"/{business.slug}/members/").url == f"{SIGN_IN}?next=/{business.slug}/members/"
    assert sign_in(client, person, next=f"/{business.slug}/members/").url == f"/{business.slug}/members/"


def test_a_session_that_ended_in_the_middle_sends_htmx_to_the_door_and_back(client, business):
    here = f"http://testserver/{business.slug}/members/"
    answer = client.post(f"/{business.slug}/members/invite/", headers={"HX-Request": "true", "HX-Current-URL": here})
    assert answer.status_code == 401
    assert answer["HX-Redirect"] == f"{SIGN_IN}?signed_out=1&next=/{business.slug}/members/"


# A lost password --------------------------------------------------------------------------------------
def test_a_lost_password_is_replaced_by_the_link_once(client, person):
    client.post("/accounts/password/reset/", {"email": person.email})
    link = link_in(mail.outbox[0])

    page = client.get(link, follow=True)
    answer = client.post(page.redirect_chain[-1][0], {"password1": NEW, "password2": NEW})

    assertRedirects(answer, "/accounts/password/reset/key/done/")
    assertContains(client.get(link, follow=True), "does not work any more")
    assert sign_in(client, person, NEW).status_code == 302
    assert is_in(client)


def test_asking_for_an_unknown_address_looks_the_same(client, person):
    known = client.post("/accounts/password/reset/", {"email": person.email})
    unknown = client.post("/accounts/password/reset/", {"email": "nobody@example.test"})
    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)
    assert len(mail.outbox) == 2  # the stranger learns that nobody of that address is here


def test_resets_are_limited(client, person):
    answers = [client.post("/accounts/password/reset/", {"email": person.email}).status_code for _ in range(6)]
    assert answers == [302] * 5 + [429]


def test_links_in_mails_lead_to_base_url(client, person, settings):
    settings.BASE_URL = "https://phasewise.example"
    client.post("/accounts/password/reset/", {"email": person.email})
    assert "https://phasewise.example/accounts/password/reset/key/" in mail.outbox[0].body
    assert "testserver/accounts" not in mail.outbox[0].body


def test_a_new_password_ends_the_other_sessions(client, person, browse, owner):
    elsewhere = browse(owner)
    sign_in(client, person)
    answer = client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    assert answer.status_code == 302
    assert client.get("/accounts/profile/").status_code == 200
    assert elsewhere.get("/accounts/profile/").status_code == 302


# Another address --------------------------------------------------------------------------------------
def test_a_new_address_holds_once_it_is_confirmed(client, person):
    sign_in(client, person)
    prove(client)
    client.post("/accounts/email/", {"email": "maren@new.test", "action_add": ""})
    person.refresh_from_db()
    assert person.email == "maren@brightside.test"

    letter = next(letter for letter in mail.outbox if letter.to == ["maren@new.test"])
    link = link_in(letter)
    client.get(link)
    person.refresh_from_db()
    assert person.email == "maren@brightside.test"  # looking is not yet confirming
    client.post(link)

    person.refresh_from_db()
    assert person.email == "maren@new.test"
    assert EmailAddress.objects.get(user=person).email == "maren@new.test"


def test_an_address_of_somebody_else_is_not_taken_over_even_if_they_confirm_it(client, person, staff):
    sign_in(client, person)
    prove(client)
    answer = client.post("/accounts/email/", {"email": staff.user.email, "action_add": ""})
    assert answer.status_code == 302  # as for any address: this page tells nobody who is here
    letter = next(letter for letter in mail.outbox if letter.to == [staff.user.email])

    answer = client.post(link_in(letter), follow=True)

    assert answer.status_code == 200
    person.refresh_from_db()
    assert person.email == "maren@brightside.test"


def test_changing_the_address_asks_who_it_is_and_then_goes_on(client, person):
    sign_in(client, person)
    answer = client.post("/accounts/email/", {"email": "maren@new.test", "action_add": ""})
    assert answer.url == "/accounts/reauthenticate/?next=%2Faccounts%2Femail%2F"
    assert not EmailAddress.objects.filter(email="maren@new.test").exists()

    assertContains(client.get(answer.url), "Is it still you?")
    client.post(answer.url, {"password": "not it"})
    assert not EmailAddress.objects.filter(email="maren@new.test").exists()
    client.post(answer.url, {"password": PASSWORD})
    assert EmailAddress.objects.filter(email="maren@new.test").exists()


def test_asking_who_it_is_has_an_end(client, person):
    sign_in(client, person)
    answers = [client.post("/accounts/reauthenticate/", {"password": "x"}).status_code for _ in range(11)]
    assert answers[-1] == 429


# The second step --------------------------------------------------------------------------------------
@pytest.fixture
def secret(client, person):
    """The secret of Maren's authenticator app; she is signed out again."""
    sign_in(client, person)
    prove(client)
    page = client.get("/accounts/2fa/totp/activate/")
    secret = page.context["form"].secret
    answer = client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    assertRedirects(answer, "/accounts/2fa/recovery-codes/")
    client.post("/accounts/logout/")
    cache.clear()  # a code counts once, and the one above is still good
    return secret


def test_with_the_second_step_on_a_password_is_not_enough(client, person, secret):
    answer = sign_in(client, person)
    assertRedirects(answer, "/accounts/2fa/authenticate/")
    assert not is_in(client)
    assert client.get("/accounts/profile/").status_code == 302


def test_the_code_of_the_app_opens_the_door_and_leads_on(client, person, secret, business):
    sign_in(client, person, next=f"/{business.slug}/members/")
    answer = client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert answer.url == f"/{business.slug}/members/"
    assert is_in(client)


def test_a_wrong_code_does_not_and_tries_are_limited(client, person, secret):
    sign_in(client, person)
    for _ in range(5):
        client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    answer = client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert "Too many" in str(answer.context["form"].errors)
    assert not is_in(client)


def test_a_recovery_code_opens_the_door_once(client, person, secret):
    codes = Authenticator.objects.get(user=person, type="recovery_codes").wrap().get_unused_codes()
    sign_in(client, person)
    client.post("/accounts/2fa/authenticate/", {"code": codes[0]})
    assert is_in(client)
    client.post("/accounts/logout/")

    sign_in(client, person)
    client.post("/accounts/2fa/authenticate/", {"code": codes[0]})
    assert not is_in(client)


def test_switching_it_off_asks_who_it_is(client, person, secret):
    client.force_login(person)
    answer = client.get("/accounts/2fa/totp/deactivate/")
    assert "/reauthenticate/" in answer.url
    client.post(answer.url, {"password": PASSWORD})
    client.post("/accounts/2fa/totp/deactivate/")
    assert not Authenticator.objects.filter(user=person).exists()


def test_an_address_that_is_not_confirmed_locks_nobody_out(client, owner):
    """Somebody who signed up with another's address must not be able to put a second step before its owner."""
    EmailAddress.objects.create(user=owner.user, email=owner.user.email, primary=True, verified=False)
    sign_in(client, owner.user)
    assertRedirects(client.get("/accounts/2fa/totp/activate/"), "/accounts/2fa/")


# The admin --------------------------------------------------------------------------------------------
def test_the_admin_has_no_door_of_its_own(client, db):
    answer = client.get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0] == f"{SIGN_IN}?next=%2Fadmin%2F"
    assert client.post("/admin/login/", {"username": "x", "password": "y"}).url.startswith(SIGN_IN)


def test_only_a_platform_administrator_gets_into_the_admin(client, person):
    sign_in(client, person)
    assert client.get("/admin/", follow=True).status_code == 403
    User.objects.update(is_staff=True, is_superuser=True)
    assert client.get("/admin/").status_code == 200


def test_the_second_step_guards_the_admin_too(client, person, secret):
    User.objects.update(is_staff=True, is_superuser=True)
    sign_in(client, person, next="/admin/")
    assert client.get("/admin/", follow=True).redirect_chain[-1][0] == "/accounts/2fa/authenticate/"
    client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert client.get("/admin/").status_code == 200


def test_every_page_of_the_account_is_there(client, person):
    sign_in(client, person)
    prove(client)
    for page in ("email", "password/change", "2fa", "2fa/totp/activate", "profile"):
        assert client.get(f"/accounts/{page}/").status_code == 200, page


def test_a_session_that_ended_before_a_plain_form_was_sent_leads_back_to_its_page(client, business):
    here = f"http://testserver/{business.slug}/members/?a=b"
    answer = client.post(f"/{business.slug}/members/invite/", headers={"Referer": here})
    assert answer.url == f"{SIGN_IN}?signed_out=1&next=/{business.slug}/members/%3Fa%3Db"
    answer = client.post(f"/{business.slug}/members/invite/", headers={"Referer": "https://evil.example/"})
    assert answer.url == f"{SIGN_IN}?signed_out=1&next=/"


@pytest.mark.parametrize("page", ["http://[", "//evil.example/", "javascript:alert(1)", "http://testserver:x/"])
def test_a_page_that_is_none_of_ours_is_not_led_back_to(client, business, page):
    answer = client.post(f"/{business.slug}/members/invite/", headers={"HX-Request": "true", "HX-Current-URL": page})
    assert (answer.status_code, answer["HX-Redirect"]) == (401, f"{SIGN_IN}?signed_out=1&next=/")
