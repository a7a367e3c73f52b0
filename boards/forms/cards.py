"""What people write on a card: its fields one by one, lines, comments, labels."""

from django import forms

from boards.forms.money import MoneyField
from boards.models import Card, Item, Label
from boards.models.label import TINTS

TOO_LONG = "At most %(limit_value)d characters fit here; this has %(show_value)d."


def _text(model, name: str, *, widget=None, **options) -> forms.CharField:
    """Return a field for a text of a model, with the model's own limit."""
    field = model._meta.get_field(name)
    options.setdefault("required", not field.blank)
    options.setdefault("error_messages", {}).setdefault("max_length", TOO_LONG)
    return forms.CharField(max_length=field.max_length, widget=widget, **options)


class PartForm(forms.Form):
    """Some fields of a card, and what the person saw in them when they began to write."""

    def __init__(self, *args, card: Card, currency: str = "", **options):
        options.setdefault("auto_id", "card-%s")
        super().__init__(*args, initial={name: getattr(card, name) for name in self.base_fields}, **options)
        self.card = card
        for field in self.fields.values():
            # A browser would cut what is too long; we say so and keep it.
            field.widget.attrs.pop("maxlength", None)
            if isinstance(field, MoneyField):
                field.currency, field.label = currency, f"{field.label} in {currency}"

    @property
    def seen(self) -> list[tuple[str, str]]:
        """Return what stands in the fields now, as hidden inputs bring it back."""
        return [(f"was-{name}", self._written(name)) for name in self.fields]

    @property
    def was(self) -> dict:
        """Return what the person saw, for `Card.update`; what they did not tell is not compared."""
        told = {name: self.data[f"was-{name}"] for name in self.fields if f"was-{name}" in self.data}
        return {
            name: getattr(self.card, name) if _plain(text) == _plain(self._written(name)) else text
            for name, text in told.items()
        }

    def _written(self, name: str) -> str:
        field, value = self.fields[name], getattr(self.card, name)
        return str(field.widget.format_value(field.prepare_value(value)) or "")


def _plain(text: str) -> str:
    """Return a text as it was before a browser put its own line ends in."""
    return text.replace("\r\n", "\n").strip()


class Line(forms.CharField):
    """One line: line ends that were pasted with it become spaces."""

    def to_python(self, value):
        """Return the text on one line."""
        return " ".join(super().to_python(value).splitlines())


class Lines(forms.CharField):
    """A text of several lines, with the line ends that the database keeps."""

    def to_python(self, value):
        """Return the text with plain line ends."""
        return super().to_python(value).replace("\r\n", "\n").replace("\r", "\n")


class Count(forms.IntegerField):
    """A whole number from 1 to `most`; left empty, there is none."""

    def __init__(self, *, most: int, **options):
        says = {
            "invalid": "Write a whole number.",
            "min_value": "At least 1. Left empty, there is none.",
            "max_value": f"At most {most:,}.",
        }
        super().__init__(required=False, min_value=1, max_value=most, error_messages=says, **options)


class NameForm(PartForm):
    """The name."""

    said = "Renamed to {card.name}"
    name = Line(
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 1}),
        error_messages={"required": "Give the card a name.", "max_length": TOO_LONG},
    )


class DescriptionForm(PartForm):
    """The description, in Markdown."""

    said = "Description saved"
    description = Lines(
        max_length=20_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"max_length": TOO_LONG},
    )


class DueForm(PartForm):
    """The day, and perhaps the time, on the clock of the business."""

    said = "Due date saved"
    due_date = forms.DateField(
        label="Day",
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "min": "1900-01-01", "max": "9999-12-31"}),
        error_messages={"invalid": "Choose a day, such as 2026-11-25."},
    )
    due_time = forms.TimeField(
        label="Time",
        required=False,
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
        error_messages={"invalid": "Choose a time, such as 17:00."},
    )


class ValueForm(PartForm):
    """What it brings."""

    said = "Value saved"
    value = MoneyField(label="Value", required=False)


class SourceForm(PartForm):
    """Where it came from."""

    said = "Source saved"
    source = _text(Card, "source", label="Source")


class ContactForm(PartForm):
    """Who it is about: only remembers whom the person saw; contacts' own form chooses."""

    said = "Contact saved"
    contact = forms.CharField(required=False)

    def _written(self, name: str) -> str:
        return str(self.card.contact_id or "")


PARTS = {
    "name": NameForm,
    "description": DescriptionForm,
    "due": DueForm,
    "value": ValueForm,
    "source": SourceForm,
    "contact": ContactForm,
}


class AssignForm(forms.Form):
    """Who is responsible, and who was when the person looked."""

    members = forms.ModelMultipleChoiceField(None, required=False)
    was = forms.ModelMultipleChoiceField(None, required=False)

    def __init__(self, *args, business, **options):
        super().__init__(*args, **options)
        for field in self.fields.values():
            field.queryset = business.memberships.select_related("user")


class ItemsForm(forms.Form):
    """Lines for the checklist; several pasted lines make several items."""

    text = forms.CharField(max_length=65_000, error_messages={"required": "Write what has to be done."})


class ItemForm(forms.Form):
    """The words of one line of the checklist."""

    text = _text(Item, "text", error_messages={"required": "Write what has to be done, or remove the line."})


class CommentForm(forms.Form):
    """What somebody says, in Markdown."""

    text = Lines(max_length=10_000, error_messages={"required": "Write something first.", "max_length": TOO_LONG})


class FilesInput(forms.FileInput):
    """An input for several files."""

    allow_multiple_selected = True

    def value_from_datadict(self, data, files, name):
        """Return all that were chosen."""
        return files.getlist(name)


class FilesField(forms.FileField):
    """Several files at once; how large they may be is for whoever keeps them to say. most: how many, None for any number."""

    widget = FilesInput

    def __init__(self, *, most: int | None = None, **options):
        super().__init__(**options)
        self.most = most

    def clean(self, value, initial=None):
        """Return the files; raises ValidationError for none where there must be some."""
        if not value and self.required:
            raise forms.ValidationError(self.error_messages["required"], code="required")
        if self.most is not None and len(value) > self.most:
            raise forms.ValidationError(f"At most {self.most} files, please.", code="many")
        return value


class FilesForm(forms.Form):
    """Files for a card."""

    files = FilesField(error_messages={"required": "Choose a file first."})


class LabelForm(forms.Form):
    """A label: its name and tint."""

    name = _text(Label, "name", label="Name", error_messages={"required": "Give the label a name."})
    tint = forms.TypedChoiceField(
        label="Colour",
        choices=TINTS,
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a colour."},
    )


class LabelChoice(forms.Form):
    """A label that the workflow has."""

    label = forms.ModelChoiceField(None)

    def __init__(self, *args, workflow, **options):
        super().__init__(*args, **options)
        self.fields["label"].queryset = workflow.labels
