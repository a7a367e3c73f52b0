"""What people write about order types and orders."""

from django import forms

from boards.forms.cards import TOO_LONG, Line, Lines
from boards.models import Order, OrderType, Workflow
from boards.search import as_uuid
from contacts.picking import ContactChoice

CODE = OrderType._meta.get_field("code")
MOST_ASKED = 50  # workflows read from one form; the verb says how many a chain may hold


class OrderTypeForm(forms.Form):
    """An order type: what it is called, and the workflows its orders run through, in order.

    The chain comes as several values of `workflow`. Buttons named `add`, `up`, `down` and `out`, and a drop (`moved` and
    `position`), change it in the form; nothing is saved until the form itself is sent.
    """

    name = Line(
        max_length=80, error_messages={"required": "Give the order type a name.", "max_length": TOO_LONG}, label="Name"
    )
    code = forms.CharField(
        max_length=CODE.max_length,
        label="Code",
        help_text=CODE.help_text,
        error_messages={"required": "Give it a short code, such as REP.", "max_length": TOO_LONG},
    )
    description = Lines(
        max_length=500,
        required=False,
        error_messages={"max_length": TOO_LONG},
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args, business, kind: OrderType | None = None, **options):
        """Take the order type that is changed, or none for a new one."""
        if kind:
            options["initial"] = {name: getattr(kind, name) for name in self.base_fields}
        super().__init__(*args, auto_id="type-%s", **options)
        for field in self.fields.values():
            field.widget.attrs.pop("maxlength", None)  # a browser would cut what is too long; we say so and keep it
        # What was put away meanwhile stays in the chain; it is only not offered.
        self.known = {workflow.pk: workflow for workflow in business.workflows.order_by("name")}
        self.asked = self.data.getlist("workflow")[:MOST_ASKED] if self.is_bound else []
        sent = dict.fromkeys(map(as_uuid, self.asked))
        saved = [stage.workflow_id for stage in kind.stages.all()] if kind else []
        self.chain = [self.known[pk] for pk in (sent if self.is_bound else saved) if pk in self.known]

    def clean_code(self):
        """Codes are written in capitals, whichever way they were typed; the model says what else they may be."""
        code = self.cleaned_data["code"].upper()
        for validator in CODE.validators:
            validator(code)
        return code

    def clean(self):
        """Refuse a chain of which a workflow is gone: who sees the rest may save that."""
        cleaned = super().clean()
        if len(self.chain) < len(set(self.asked)):
            raise forms.ValidationError(
                "A workflow of the chain does not exist any more. Look at the chain and save again."
            )
        return cleaned

    @property
    def free(self) -> list[Workflow]:
        """Return the workflows that may still be put into the chain."""
        return [workflow for workflow in self.known.values() if workflow not in self.chain and not workflow.archived_at]

    @property
    def is_shaping(self) -> bool:
        """Answer whether a button of the chain was pressed rather than the form sent."""
        return any(self.data.get(name) for name in ("add", "up", "down", "out", "moved"))

    def reshape(self) -> Workflow | None:
        """Change the chain as the button says; return the workflow it was about, or None when it makes no sense."""
        added = self.known.get(as_uuid(self.data.get("add") and self.data.get("choice")))
        if added and added not in self.chain:
            self.chain.append(added)
            return added
        for name, shift in (("up", -1), ("down", 1), ("out", 0), ("moved", 0)):
            workflow = self.known.get(as_uuid(self.data.get(name)))
            if workflow in self.chain:
                place = self.chain.index(workflow)
                self.chain.remove(workflow)
                if name != "out":
                    to = _place(self.data.get("position"), place) if name == "moved" else max(0, place + shift)
                    self.chain.insert(to, workflow)
                return workflow
        return None

    def told(self) -> dict:
        """Return what the verbs of an order type want to know."""
        return {**self.cleaned_data, "workflows": self.chain}


class OrderForm(forms.Form):
    """What an order is called, for whom it is, and by when.

    The buttons of the contact's picker (`pick`, `new_pick`) choose in the form; nothing is saved until the form is sent.
    """

    name = Line(
        label="What is it?",
        max_length=Order._meta.get_field("name").max_length,
        error_messages={"required": "Give the order a name.", "max_length": TOO_LONG},
    )
    due_date = forms.DateField(
        label="Due",
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "min": "1900-01-01", "max": "9999-12-31"}),
        error_messages={"invalid": "Choose a day, such as 2026-11-25."},
    )

    def __init__(self, *args, business, contact=None, **options):
        """Take the business, and the contact whom the order is for until now."""
        super().__init__(*args, auto_id="order-%s", **options)
        for field in self.fields.values():
            field.widget.attrs.pop("maxlength", None)
        self.business = business
        self.contact, self.seen, self.jotted = contact, contact, ""
        if self.is_bound:
            self._read_contact()

    def _read_contact(self) -> None:
        """Find whom the form is about now: picked a moment ago, picked before, or jotted down."""
        sent = self.data
        pk = None if sent.get("clear") else as_uuid(sent.get("pick") or sent.get("contact"))
        self.contact = self.business.contacts.filter(pk=pk).first() if pk else None
        self.is_foreign = bool(pk and self.contact is None)
        self.jotted = "" if sent.get("pick") or sent.get("clear") else sent.get("new_pick") or sent.get("q", "").strip()
        if sent.get("new_pick"):
            self.contact = None

    @property
    def is_picking(self) -> bool:
        """Answer whether a button of the picker was pressed rather than the form sent."""
        return any(self.data.get(name) for name in ("pick", "new_pick", "clear"))

    def clean(self):
        """Refuse a contact that is not there; a search that was not finished counts as somebody jotted down."""
        cleaned = super().clean()
        if self.is_foreign:
            self.add_error(None, "This contact does not exist.")
        elif self.contact and self.contact.archived_at and self.contact != self.seen:
            self.add_error(None, f"{self.contact.name} is archived. Restore it first.")
        if len(self.jotted) > 200:
            self.add_error(None, f"A name, e-mail or phone has at most 200 characters, this has {len(self.jotted)}.")
        return cleaned

    def whom(self, *, by):
        """Return the contact, made when only jotted down; raises ValidationError in words."""
        if self.contact and not self.jotted:
            return self.contact
        if not self.jotted:
            return None
        return ContactChoice({"new_contact": self.jotted}, business=self.business).chosen(by=by)


class NewOrderForm(OrderForm):
    """An order to be opened: of which type, and where it starts."""

    type = forms.ModelChoiceField(
        None,
        empty_label=None,
        label="Order type",
        error_messages={
            "required": "Choose an order type.",
            "invalid_choice": "This order type is not offered any more.",
        },
    )
    start = forms.ModelChoiceField(
        None,
        required=False,
        empty_label="At the beginning",
        label="Starts in",
        error_messages={"invalid_choice": "Orders of this type do not run through that workflow."},
    )

    def __init__(self, *args, business, kinds, kind: OrderType | None, **options):
        """Take the types on offer, and the one that is chosen, whose chain says where an order may start."""
        super().__init__(*args, business=business, **options)
        self.fields["type"].queryset = kinds
        self.fields["type"].initial = kind
        stages = business.workflows.filter(order_stages__type=kind) if kind else business.workflows.none()
        self.fields["start"].queryset = stages.order_by("order_stages__position")


def _place(text, here: int) -> int:
    return int(text) if (text or "").isdecimal() and len(text) < 4 else here
