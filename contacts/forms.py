"""What people type about contacts."""

from itertools import zip_longest

from django import forms
from django.core.exceptions import ValidationError

from contacts.models import Contact, ContactLabel
from contacts.models.contact import ADDRESS_TAGS, MOST_PARTS, PHONE_TAGS, TAGS, TINTS, as_said, in_words, is_locale

MOST_FOUND = 20  # contacts a search for a twin shows

# A contact -----------------------------------------------------------------------------------------------


class EmailRow(forms.Form):
    """One e-mail address and its tag; a blank one counts for nothing."""

    email = forms.EmailField(label="Email address", required=False, max_length=320)
    email_tag = forms.ChoiceField(label="Tag of this e-mail", choices=TAGS, required=False)


class PhoneRow(forms.Form):
    """One phone number and its tag."""

    phone = forms.CharField(
        label="Phone number", required=False, max_length=50, widget=forms.TextInput(attrs={"type": "tel"})
    )
    phone_tag = forms.ChoiceField(label="Tag of this phone", choices=PHONE_TAGS, required=False)


class AddressRow(forms.Form):
    """One postal address, in lines, and its tag."""

    address = forms.CharField(
        label="Postal address", required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )
    address_tag = forms.ChoiceField(label="Tag of this address", choices=ADDRESS_TAGS, required=False)

    def clean_address(self):
        """Keep line ends as the rest of the house writes them, not as browsers do."""
        return self.cleaned_data["address"].replace("\r\n", "\n")


class Rows(list):
    """The rows of one kind, each a form of its own, so that an error stands at the right one."""

    def __init__(self, kind, legend, row, pairs):
        self.kind, self.legend, self.row = kind, legend, row
        pairs = list(pairs)[:MOST_PARTS] or [("", "")]
        super().__init__(self._row(value, tag, at) for at, (value, tag) in enumerate(pairs))

    @property
    def blank(self):
        """Return an empty row, for the page's template element."""
        return self._row("", "", "new")

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Return (value, tag) of the rows that are filled in; they must be valid."""
        sent = [(row.cleaned_data[self.kind], row.cleaned_data[f"{self.kind}_tag"]) for row in self]
        return [(value, tag) for value, tag in sent if value]

    def is_valid(self) -> bool:
        """Answer whether every row is; all are looked at."""
        wrong = [row for row in self if not row.is_valid()]
        return not wrong

    def _row(self, value, tag, at):
        row = self.row({self.kind: value, f"{self.kind}_tag": tag}, auto_id=f"id_%s_{at}")
        row.value, row.tag = row[self.kind], row[f"{self.kind}_tag"]
        return row


KINDS = (
    ("emails", "email", "Email", EmailRow),
    ("phones", "phone", "Phone", PhoneRow),
    ("addresses", "address", "Address", AddressRow),
)


class ContactForm(forms.Form):
    """A contact with all its parts. Rows are sent as repeated fields: email, email_tag, email, email_tag …"""

    given_name = forms.CharField(required=False, max_length=1000, label="Given name")
    family_name = forms.CharField(required=False, max_length=1000, label="Family name")
    company = forms.CharField(required=False, max_length=1000)
    job_title = forms.CharField(required=False, max_length=1000, label="Job title")
    labels = forms.ModelMultipleChoiceField(
        queryset=None,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "A label was deleted meanwhile.", "invalid_pk_value": "This is no label."},
    )
    new_labels = forms.CharField(
        required=False, max_length=300, label="New labels", help_text="Several with a comma between them."
    )
    source = forms.CharField(required=False, max_length=100, help_text="How they found you: a fair, a friend, the web.")
    birthdate = forms.DateField(
        required=False, label="Birthday", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    locale = forms.CharField(
        required=False, max_length=35, label="Language", validators=[is_locale], help_text="Like en or pt-BR."
    )
    notes = forms.CharField(
        required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": 5}), help_text="Markdown is understood."
    )
    revision = forms.IntegerField(
        widget=forms.HiddenInput,
        min_value=0,
        max_value=2**31 - 1,
        error_messages={"required": "This page is incomplete. Load it again.", "invalid": "Load this page again."},
    )

    FIELDS = ("given_name", "family_name", "company", "job_title", "source", "birthdate", "locale", "notes")

    def __init__(self, data=None, *, business, contact=None):
        super().__init__(data, initial=_initial(contact) if contact else None)
        self.business, self.contact = business, contact
        self.fields["labels"].queryset = business.contact_labels.all()
        if contact is None:
            del self.fields["revision"]
        if not self.fields["labels"].queryset.exists():
            del self.fields["labels"]
        self._lay_rows()

    @property
    def rows(self) -> list[Rows]:
        """Return the rows of each kind."""
        return [self.emails, self.phones, self.addresses]

    @property
    def wrong_rows(self) -> list[forms.BoundField]:
        """Return what is wrong in the rows, for the summary above the form."""
        return [row.value for rows in self.rows for row in rows if row.value.errors]

    def is_valid(self) -> bool:
        """Answer whether the fields and all rows are."""
        return all([super().is_valid(), *(rows.is_valid() for rows in self.rows)])

    def clean_notes(self):
        """Keep line ends as the rest of the house writes them, not as browsers do."""
        return self.cleaned_data["notes"].replace("\r\n", "\n")

    def clean_new_labels(self):
        """Return the names between the commas."""
        names = [" ".join(name.split()) for name in self.cleaned_data["new_labels"].split(",")]
        longest = ContactLabel._meta.get_field("name").max_length
        if any(len(name) > longest for name in names):
            raise ValidationError(f"A label has at most {longest} characters.")
        return [name for name in names if name]

    @property
    def changes(self) -> dict:
        """Return what Contact.create and update take; the form must be valid."""
        sent = self.cleaned_data
        parts = {part: getattr(self, part).pairs for part, *_ in KINDS}
        labels = [*sent.get("labels", ()), *sent["new_labels"]]
        return {**{key: sent[key] for key in self.FIELDS}, **parts, "labels": labels}

    def blame(self, error: ValidationError) -> None:
        """Put what a verb refused at its field, else above the form."""
        for key, errors in error.update_error_dict({}).items():
            self.add_error(key if key in self.fields else None, errors)

    # Rows, without JavaScript ----------------------------------------------------------------------------

    def reshape(self, wish: str) -> None:
        """Add a row, make one the first or take one out, as the button said: email:add, email:first:2, email:out:2."""
        kind, _, rest = wish.partition(":")
        do, _, at = rest.partition(":")
        if kind not in (known for _, known, *_ in KINDS):
            return
        self.data = self.data.copy()
        pairs = _pairs(self.data, kind)
        if do == "add" and len(pairs) < MOST_PARTS:
            pairs.append(("", ""))
        elif at.isascii() and at.isdecimal() and int(at) < len(pairs) and do in ("first", "out"):
            pair = pairs.pop(int(at))
            pairs = [pair, *pairs] if do == "first" else pairs
        self._send(kind, pairs)
        self._lay_rows()

    def _lay_rows(self) -> None:
        for part, kind, legend, row in KINDS:
            pairs = _pairs(self.data, kind) if self.is_bound else self.initial.get(part, [])
            setattr(self, part, Rows(kind, legend, row, pairs))

    def _send(self, kind, pairs) -> None:
        self.data.setlist(kind, [value for value, _ in pairs])
        self.data.setlist(f"{kind}_tag", [tag for _, tag in pairs])

    # Two people at once ----------------------------------------------------------------------------------

    def catch_up(self, now: Contact) -> list[dict]:
        """Take over what others changed where this person changed nothing; return what both changed, both ways."""
        seen, theirs, mine = now.told_at(self.cleaned_data["revision"]), now.as_told(), self._told()
        self.data = self.data.copy()
        both = []
        for key in mine:
            if theirs[key] == seen[key] or mine[key] == theirs[key]:
                continue
            if mine[key] == seen[key]:
                self._take(key, now)
            else:
                both.append(
                    {"what": key.replace("_", " "), "theirs": in_words(theirs[key]), "mine": in_words(mine[key])}
                )
        self.data["revision"] = str(now.revision)
        self._lay_rows()
        return both

    def _told(self) -> dict:
        """Return what is in the form as the ledger would keep it."""
        told = {key: self.cleaned_data[key] for key in self.FIELDS}
        told["birthdate"] = told["birthdate"].isoformat() if told["birthdate"] else ""
        for part, *_ in KINDS:
            told[part] = [as_said(*pair) for pair in getattr(self, part).pairs]
        # A form asks for no country: each number keeps its own.
        countries = dict(self.contact.phones.values_list("phone", "country"))
        told["phones"] = [as_said(*pair, countries.get(pair[0], "")) for pair in self.phones.pairs]
        names = [label.name for label in self.cleaned_data.get("labels", ())] + self.cleaned_data["new_labels"]
        return {**told, "labels": sorted(names)}

    def _take(self, key, now) -> None:
        theirs = _initial(now)[key]
        kinds = {part: kind for part, kind, *_ in KINDS}
        if key in kinds:
            self._send(kinds[key], theirs)
        elif key == "labels":
            self.data.setlist("labels", [str(pk) for pk in theirs])
        else:
            self.data[key] = theirs

    # Lookalikes ------------------------------------------------------------------------------------------

    def lookalikes(self) -> list[Contact]:
        """Return contacts that may be the same as the one in the form; what is not valid is not compared."""
        self.is_valid()
        sent = self.cleaned_data
        name = f"{sent.get('given_name', '')} {sent.get('family_name', '')}".strip() or sent.get("company", "")
        emails = [row.cleaned_data.get("email", "") for row in self.emails]
        phones = [row.cleaned_data.get("phone", "") for row in self.phones]
        return list(Contact.lookalikes(self.business, name=name, emails=emails, phones=phones, but=self.contact))


def _pairs(data, kind) -> list[tuple[str, str]]:
    sent = zip_longest(data.getlist(kind), data.getlist(f"{kind}_tag"), fillvalue="")
    return list(sent)[:MOST_PARTS]


def _initial(contact) -> dict:
    texts = {key: getattr(contact, key) for key in ContactForm.FIELDS}
    parts = {part: list(getattr(contact, part).values_list(kind, "tag")) for part, kind, *_ in KINDS}
    labels = list(contact.labels.values_list("pk", flat=True))
    return {**texts, **parts, "labels": labels, "revision": contact.revision}


class MergeForm(forms.Form):
    """Who is to become part of a contact, and the contact's revision when that was decided."""

    twin = forms.UUIDField(required=False)
    revision = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1)
    q = forms.CharField(required=False, max_length=200)

    def __init__(self, data, *, contact):
        super().__init__(data)
        self.is_valid()
        sent, others = self.cleaned_data, Contact.objects.filter(business=contact.business_id).exclude(pk=contact.pk)
        self.revision, self.text = sent.get("revision"), " ".join(sent.get("q", "").split())
        self.twin = others.for_page().filter(pk=sent.get("twin")).first() if sent.get("twin") else None
        self.found = others.live().matching(self.text).order_by("-updated_at")[:MOST_FOUND] if self.text else []


class LabelForm(forms.Form):
    """The name and colour of a contact label."""

    name = forms.CharField(
        max_length=50,
        error_messages={"required": "Give the label a name.", "max_length": "A label has at most 50 characters."},
    )
    tint = forms.TypedChoiceField(
        choices=TINTS,
        coerce=int,
        required=False,
        empty_value=None,
        error_messages={"invalid_choice": "Choose one of the eight colours."},
    )

    @property
    def changes(self) -> dict:
        """Return what ContactLabel.update takes; raises ValidationError in words."""
        if not self.is_valid():
            raise ValidationError([error for errors in self.errors.values() for error in errors])
        return self.cleaned_data


# Picking -------------------------------------------------------------------------------------------------


class PickForm(forms.Form):
    """What a picker looks for, and how its buttons are called."""

    q = forms.CharField(required=False, max_length=200)
    field = forms.RegexField(r"^[a-z_]{1,30}\Z", required=False)

    @property
    def wanted(self) -> tuple[str, str]:
        """Return the text and the field's name; what makes no sense is not asked for."""
        self.is_valid()
        sent = self.cleaned_data
        return " ".join(sent.get("q", "").split()), sent.get("field") or "contact"
