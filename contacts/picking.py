"""Choosing whom a card is about: what other floors may put into their own pages."""

from django import forms
from django.core.exceptions import ValidationError

from contacts.models import Contact


class ContactChoice(forms.Form):
    """Who a card is about: a contact that exists, one jotted down as a name, e-mail or phone, or nobody.

    The buttons of the picker (contacts/pick.html) post into it.
    """

    contact = forms.UUIDField(required=False, error_messages={"invalid": "This contact does not exist."})
    new_contact = forms.CharField(
        required=False,
        max_length=200,
        error_messages={"max_length": "A name, e-mail or phone has at most 200 characters, this has %(show_value)d."},
    )
    clear = forms.BooleanField(required=False)

    def __init__(self, *args, business, **kwargs):
        super().__init__(*args, **kwargs)
        self.business = business

    def clean_contact(self):
        """Find the contact, in this business only."""
        pk = self.cleaned_data["contact"]
        contact = self.business.contacts.filter(pk=pk).first() if pk else None
        if pk and contact is None:
            raise ValidationError("This contact does not exist.")
        if contact and contact.archived_at:
            raise ValidationError(f"{contact.name} is archived. Restore it first.")
        return contact

    def clean(self):
        """Nothing at all is not a choice."""
        cleaned = super().clean()
        if not self.errors and not any(cleaned.values()):
            raise ValidationError("Choose a contact, or write a name, an e-mail or a phone.", code="nobody")
        return cleaned

    def chosen(self, *, by) -> Contact | None:
        """Return the contact, made if it was only jotted down, or None when it is taken off the card.

        Raises ValidationError in words, also when several contacts match what was written.
        """
        if not self.is_valid():
            raise ValidationError([error for errors in self.errors.values() for error in errors])
        sent = self.cleaned_data
        if sent["clear"]:
            return None
        return sent["contact"] or Contact.find_or_create(self.business, sent["new_contact"], by=by)
