"""The rows of the second floor."""

from contacts.models.contact import Address, Contact, ContactLabel, EmailAddress, PhoneNumber

__all__ = ["Address", "Contact", "ContactLabel", "EmailAddress", "PhoneNumber"]
