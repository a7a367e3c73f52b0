"""What can happen to a contact."""

from accounts.events import declare

declare("contact.created", "Contact created", "added {contact} to the contacts", ["contact", "source"], icon="people")
declare("contact.updated", "Contact changed", "changed {changed}", ["changed", "before", "after"], icon="edit")
declare("contact.archived", "Contact archived", "archived {contact}", ["contact"], icon="archive")
declare("contact.restored", "Contact restored", "restored {contact}", ["contact"], icon="undo")
declare(
    "contact.merged",
    "Contacts merged",
    "merged {sources} into {contact}",
    ["contact", "sources"],
    icon="people",
)
# `into` is the contact that took over what a merge had to leave behind; nothing where it was only deleted.
declare("contact.deleted", "Contact deleted", "deleted {contact} for good", ["contact", "into"], icon="trash")
declare("contact_label.created", "Contact label made", "made the contact label {label}", ["label"], icon="tag")
declare(
    "contact_label.updated",
    "Contact label changed",
    "changed the contact label {before} to {after}",
    ["before", "after"],
    icon="tag",
)
declare(
    "contact_label.deleted",
    "Contact label deleted",
    "deleted the contact label {label}",
    ["label", "contacts"],
    icon="tag",
)
