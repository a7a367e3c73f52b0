"""What people write into the libraries: statuses, triggers, closing reasons."""

from django import forms

from boards.forms.cards import TOO_LONG, Line, Lines
from boards.models import Reason, Status, Trigger
from boards.models.label import TINTS
from boards.models.library import CAUSES, STAGE_TINTS, STAGES


def _line(model, name: str, *, no_name: str = "", **options) -> Line:
    """Return a field for one line of an entry, with the model's own limit."""
    limit = model._meta.get_field(name).max_length
    messages = {"max_length": TOO_LONG} | ({"required": no_name} if no_name else {})
    return Line(max_length=limit, error_messages=messages, required=bool(no_name), **options)


def _words(model, **options) -> Lines:
    """Return a field for what an entry says about itself."""
    limit = model._meta.get_field("description").max_length
    rows = forms.Textarea(attrs={"rows": 2})
    return Lines(max_length=limit, required=False, error_messages={"max_length": TOO_LONG}, widget=rows, **options)


class EntryForm(forms.Form):
    """What the forms of all libraries share: an entry that is changed, or the group that a new one goes into."""

    def __init__(self, *args, entry=None, group: str = "", text: str = "", **options):
        """Take the entry, or for a new one its group and perhaps its name."""
        if entry:
            options["initial"] = {name: getattr(entry, name, None) for name in self.base_fields}
        else:
            options["initial"] = {"name": text, self.group_field: group}
        super().__init__(*args, auto_id=f"entry-{entry.pk if entry else group or 'new'}-%s", **options)
        self.entry = entry
        for field in self.fields.values():
            # A browser would cut what is too long; we say so and keep it.
            field.widget.attrs.pop("maxlength", None)

    group_field = "group"

    @property
    def group(self) -> str:
        """Return the group that a new entry was written in."""
        return self.data.get(self.group_field, "")


class NewStatusForm(EntryForm):
    """A status made on the fly: its name, in a stage group."""

    group_field = "stage"
    name = _line(Status, "name", no_name="Give the status a name.")
    stage = forms.ChoiceField(choices=STAGES, widget=forms.HiddenInput)

    def clean(self):
        """Give a new status the colour of its group."""
        told = super().clean()
        return told | {"tint": STAGE_TINTS[told["stage"]]} if "stage" in told else told


class StatusForm(EntryForm):
    """A status of the library."""

    name = _line(Status, "name", no_name="Give the status a name.")
    stage = forms.ChoiceField(label="Stage group", choices=STAGES)
    public_name = _line(
        Status, "public_name", label="What a customer sees", help_text="Left empty, customers see its name."
    )
    description = _words(Status)
    tint = forms.TypedChoiceField(label="Colour", choices=TINTS, coerce=int, widget=forms.RadioSelect)
    rename_phases = forms.BooleanField(required=False)

    def __init__(self, *args, **options):
        """Offer to rename phases only where some bear the name."""
        super().__init__(*args, **options)
        bearers = getattr(self.entry, "bearers", 0)
        word = f"the {bearers} phases that bear" if bearers != 1 else "the phase that bears"
        self.fields["rename_phases"].label = f"When the name changes, also rename {word} it"
        if not bearers:
            del self.fields["rename_phases"]


class TriggerForm(EntryForm):
    """A trigger of the library; its key is made once, from its first label."""

    name = _line(Trigger, "name", label="Label", no_name="Give the trigger a label.")
    description = _words(Trigger, label="What it means")


class ReasonForm(EntryForm):
    """A closing reason, and whose doing it is."""

    group_field = "caused_by"
    name = _line(Reason, "name", label="Reason", no_name="Write the reason.")
    caused_by = forms.ChoiceField(label="Caused by", choices=CAUSES, widget=forms.RadioSelect)


class NewReasonForm(ReasonForm):
    """A closing reason made on the fly."""

    caused_by = forms.ChoiceField(choices=CAUSES, widget=forms.HiddenInput)
