"""What can happen to a contact."""

from accounts.events import declare

declare("contact.created", "Contact created", "added {contact} to the contacts", ["contact", "source"], icon="people")
declare("contact.updated", "Contact changed", "changed {changed}", ["changed", "before", "after"], icon="edit")
declare("contact.archived", "Contact archived", "archived {contact}", ["contact"], icon="archive")
declare("contact.restored", "Contact restored", "restored {contact}", ["contact"], icon="undo")
declare("contact.deleted", "Contact deleted", "deleted {contact} for good", ["contact"], icon="trash")
