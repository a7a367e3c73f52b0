"""Contacts in the back room."""

from django.contrib import admin

from accounts.admin import ArchivedFilter, Seen, SeenAdmin, VerbAdmin, deed
from contacts.models import Address, Contact, ContactLabel, EmailAddress, PhoneNumber


class EmailsSeen(Seen):
    """The e-mail addresses of a contact."""

    model = EmailAddress
    fields = ("position", "email", "tag")


class PhonesSeen(Seen):
    """The phone numbers of a contact."""

    model = PhoneNumber
    fields = ("position", "phone", "tag", "country")


class AddressesSeen(Seen):
    """The postal addresses of a contact."""

    model = Address
    fields = ("position", "address", "tag")


class LabelsSeen(Seen):
    """The labels a contact wears."""

    model = Contact.labels.through
    fields = ("contactlabel",)
    related = ("contactlabel", "contact")


@admin.register(Contact)
class ContactAdmin(VerbAdmin):
    """People and companies businesses work for."""

    says = (
        "Changes made here are those of the app itself: checked by the same rules and told in the ledger as yours. "
        "E-mails, phones, addresses and labels are changed in the app, extended fields by programs."
    )
    takes = (*Contact.TEXTS, "birthdate")
    needs = ("business",)
    hides = ("search",)
    autocomplete_fields = ("business",)
    list_display = ("name", "business", "company", "email", "phone", "updated_at", "archived_at")
    list_filter = (ArchivedFilter,)
    list_select_related = ("business",)
    search_fields = ("search", "business__name", "business__slug")
    date_hierarchy = "created_at"
    inlines = (EmailsSeen, PhonesSeen, AddressesSeen, LabelsSeen)
    actions = (
        deed("archive", "Archive"),
        deed("restore", "Restore"),
        deed("delete_for_good", "Delete for good what is archived", final=True),
    )

    def make(self, values, by):
        """Make a contact."""
        return Contact.create(values.pop("business"), **values, by=by)


@admin.register(ContactLabel)
class ContactLabelAdmin(VerbAdmin):
    """Labels that contacts wear."""

    takes = ("name", "tint")
    list_display = ("name", "business", "key", "tint", "updated_at")
    list_filter = ("tint",)
    list_select_related = ("business",)
    search_fields = ("name", "key", "business__name", "business__slug")


class PartAdmin(SeenAdmin):
    """Parts of contacts, for searching."""

    says = "Parts of a contact are changed with their contact, in the app."
    list_select_related = ("contact__business",)

    @admin.display(ordering="contact__business__name")
    def business(self, part):
        """Return whose contact it is."""
        return part.contact.business


@admin.register(EmailAddress)
class EmailAddressAdmin(PartAdmin):
    """E-mail addresses of contacts."""

    list_display = ("email", "contact", "business", "tag", "position")
    list_filter = ("tag",)
    search_fields = ("email", "contact__name")


@admin.register(PhoneNumber)
class PhoneNumberAdmin(PartAdmin):
    """Phone numbers of contacts."""

    list_display = ("phone", "contact", "business", "tag", "position")
    list_filter = ("tag",)
    search_fields = ("phone", "digits", "contact__name")


@admin.register(Address)
class AddressAdmin(PartAdmin):
    """Postal addresses of contacts."""

    list_display = ("address", "contact", "business", "tag", "position")
    list_filter = ("tag",)
    search_fields = ("address", "contact__name")
