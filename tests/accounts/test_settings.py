"""What a business and a person say about themselves."""

import pytest
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from accounts.models import Event

pytestmark = pytest.mark.django_db


def here(business):
    return reverse("settings", args=[business.slug])


def typed(business, **changes):
    names = {"business_name": business.name, "slug": business.slug}
    limits = {"most_workflows": business.most_workflows or "", "most_phases": business.most_phases}
    return {**names, "time_zone": business.time_zone, "currency": business.currency, **limits, **changes}


def test_an_owner_changes_the_settings_and_the_ledger_knows(browse, business, owner):
    client = browse(owner)
    changes = {"business_name": "Brightside Ltd", "time_zone": "Europe/Amsterdam", "currency": "GBP"}
    answer = client.post(here(business), typed(business, **changes), follow=True)

    assertContains(answer, "Saved.")
    business.refresh_from_db()
    assert (business.name, business.time_zone, business.currency) == ("Brightside Ltd", "Europe/Amsterdam", "GBP")
    event = Event.objects.first()
    assert event.name == "business.updated"
    assert event.details["before"] == {"name": "Brightside Joinery", "time_zone": "UTC", "currency": "EUR"}


def test_a_new_address_is_gone_to_and_the_old_one_is_gone(browse, business, owner):
    client = browse(owner)
    old = here(business)
    assertContains(client.get(old), "links that people kept stop working")

    answer = client.post(old, typed(business, slug="brighter"))

    assertRedirects(answer, "/brighter/settings/")
    assertContains(client.get("/brighter/settings/"), 'value="brighter"')
    assert client.get(old).status_code == 404


def test_an_owner_says_how_much_there_can_be_and_others_read_it(browse, business, owner, staff):
    answer = browse(owner).post(here(business), typed(business, most_workflows="3", most_phases="12"), follow=True)
    assertContains(answer, "Saved.")
    business.refresh_from_db()
    assert (business.most_workflows, business.most_phases) == (3, 12)
    assertContains(browse(staff).get(here(business)), "at most 3")
    browse(owner).post(here(business), typed(business, most_workflows=""))
    business.refresh_from_db()
    assert business.most_workflows is None
    assertContains(browse(staff).get(here(business)), "as many as you like")


def test_saving_without_a_change_is_no_news(browse, business, owner):
    before = Event.objects.count()
    browse(owner).post(here(business), typed(business))
    assert Event.objects.count() == before


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"slug": "other"}, "slug", "taken"),
        ({"slug": "accounts"}, "slug", "used by Phasewise itself"),
        ({"slug": ""}, "slug", "required"),
        ({"slug": "ünï"}, "slug", "small letters"),
        ({"business_name": " "}, "business_name", "required"),
        ({"most_phases": "201"}, "most_phases", "less than or equal to 200"),
        ({"most_phases": ""}, "most_phases", "required"),
        ({"most_workflows": "0"}, "most_workflows", "greater than or equal to 1"),
        ({"currency": "XXX"}, "currency", "valid choice"),
        ({"time_zone": "../etc/passwd"}, "time_zone", "valid choice"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_the_page_keeps_its_name(
    browse, business, owner, stranger, changes, field, said
):
    answer = browse(owner).post(here(business), typed(business, **changes))
    assert answer.status_code == 422
    assert said in str(answer.context["form"].errors[field]).lower() or said in str(
        answer.context["form"].errors[field]
    )
    assert answer.context["business"].name == "Brightside Joinery"
    assertContains(answer, f'href="/{business.slug}/members/"', status_code=422)
    business.refresh_from_db()
    assert (business.name, business.slug) == ("Brightside Joinery", "brightside")


@pytest.mark.parametrize("who", ["manager", "staff", "viewer"])
def test_others_look_but_do_not_change(browse, business, request, who):
    client = browse(request.getfixturevalue(who))
    page = client.get(here(business))
    assertContains(page, "Only an owner may change these")
    assertNotContains(page, 'name="currency"')
    assert client.post(here(business), typed(business, business_name="Mine now")).status_code == 403
    business.refresh_from_db()
    assert business.name == "Brightside Joinery"


def test_a_stranger_finds_nothing(browse, business, stranger):
    assert browse(stranger).get(here(business)).status_code == 404


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "{{ settings.SECRET_KEY }}", "שלום", "🪵 Co", "a" * 120])
def test_any_name_is_shown_as_it_was_typed(browse, business, owner, name):
    client = browse(owner)
    client.post(here(business), typed(business, business_name=name))
    business.refresh_from_db()
    assert business.name == name
    assertNotContains(client.get(here(business)), "<script>alert")


# A person ---------------------------------------------------------------------------------------------
def test_a_person_changes_their_name(browse, owner):
    client = browse(owner)
    answer = client.post(reverse("profile"), {"name": "  Maren H.  "}, follow=True)
    assertContains(answer, "Saved.")
    owner.user.refresh_from_db()
    assert owner.user.name == "Maren H."


@pytest.mark.parametrize("name", ["", "   ", "x" * 121])
def test_a_name_is_needed_and_what_was_typed_is_kept(browse, owner, name):
    answer = browse(owner).post(reverse("profile"), {"name": name})
    assert answer.status_code == 422
    owner.user.refresh_from_db()
    assert owner.user.name == "Maren Holt"


def test_the_profile_lists_the_businesses(browse, owner, business):
    page = browse(owner).get(reverse("profile"))
    assertContains(page, business.name)
    assertContains(page, reverse("found"))


def test_nobody_has_no_profile(client):
    assert client.get(reverse("profile")).url == "/accounts/login/?next=/accounts/profile/"


def test_a_wrong_address_is_told_once(browse, business, owner):
    answer = browse(owner).post(here(business), typed(business, slug="Demo Café!"))
    assert answer.context["form"].errors["slug"] == ["Use small letters, digits and dashes."]
