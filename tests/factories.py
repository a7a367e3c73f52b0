"""Valid rows, made flat and through the verbs, for tests that are about something else."""

import itertools

import factory

from accounts.actor import Actor
from accounts.models import Business, Membership, User
from boards.models import Card, Workflow
from boards.models.phase import Phase
from boards.starters import STARTERS
from contacts.models import Contact

PASSWORD = "correct horse battery"
_number = itertools.count(1)


class UserFactory(factory.django.DjangoModelFactory):
    """A person who can sign in with PASSWORD."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    name = factory.Faker("name")
    email = factory.Sequence(lambda n: f"person{n}@example.test")

    @classmethod
    def _create(cls, model, *args, **kwargs):
        return model.objects.create_user(password=PASSWORD, **kwargs)


def make_business(name="Brightside Joinery", slug=None, owner=None, **fields) -> Business:
    """Return a business with an owner."""
    owner = owner or UserFactory()
    slug = slug or f"business-{next(_number)}"
    return Business.objects.found(owner, name=name, slug=slug, **fields)


def join(business, role, **fields) -> Membership:
    """Return the membership of a new person."""
    return Membership.objects.create(business=business, user=UserFactory(**fields), role=role)


def actor(member) -> Actor:
    """Return a member as an actor."""
    return Actor.member(member)


def make_workflow(business, name="Lead funnel", starter="sales", **fields) -> Workflow:
    """Return a workflow laid out from a starter (None: only its win phase)."""
    template = STARTERS[starter] if starter else None
    return Workflow.create(business, name=name, template=template, by=Actor.system(business), **fields)


def make_card(phase: Phase, name=None, by=None, **fields) -> Card:
    """Return a card at the bottom of a phase."""
    name = name or f"Card {next(_number)}"
    return Card.create(phase, name=name, by=by or Actor.system(phase.business), **fields)


def make_contact(business, given_name="Ines", family_name="Brunet", by=None, **fields) -> Contact:
    """Return a contact."""
    return Contact.create(
        business, given_name=given_name, family_name=family_name, by=by or Actor.system(business), **fields
    )
