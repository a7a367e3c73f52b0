"""Intake forms: what the public fills in, and what their makers write to make them."""

from __future__ import annotations

import re
import time
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from uuid import uuid4

from django import forms
from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.functional import cached_property

from boards.forms.cards import TOO_LONG, FilesField, FilesInput, Line, Lines
from boards.forms.money import MoneyField
from boards.models import IntakeForm, Question
from boards.models.intake import CHOOSING, KINDS, TARGETS
from boards.models.label import TINTS

SOONEST = 2  # seconds that a person takes at least
LONGEST = 24 * 60 * 60  # seconds for which a page that was opened can be sent
MOST_FILES = 10  # in answer to one question
TRAP = "leave_empty"
TRAPPED = "A field that people do not see was filled in, so it looks like a machine's doing."
LOST = "Choose your files again: a browser does not send the same ones twice."
UNFINISHED = "This looks unfinished. An email ends in something like .com or .nl"


# What the public fills in -----------------------------------------------------------------------------


class NumberField(forms.CharField):
    """A number, with a point or a comma before its decimals."""

    widget = forms.TextInput(attrs={"inputmode": "decimal"})

    def to_python(self, value):
        """Return the number, None for nothing; raises ValidationError in words."""
        text = super().to_python(value)
        if text in self.empty_values:
            return None
        try:
            number = Decimal(re.sub(r"[\s’']", "", text).replace(",", "."))
        except InvalidOperation:
            number = Decimal("nan")
        if not number.is_finite() or abs(number) >= 10**12:
            raise ValidationError("Write a number, such as 12 or 2.5", code="number")
        return number


class PhoneField(forms.CharField):
    """A phone number, as people write it."""

    widget = forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"})

    def clean(self, value):
        """Return the number; raises ValidationError for what nobody could call."""
        text = super().clean(value)
        if text and len(re.sub(r"\D", "", text)) < 5:
            raise ValidationError(
                "This looks unfinished. Write the whole number, such as +31 6 1234 5678", code="phone"
            )
        return text


def _choice(question, widget):
    choices = [(one, one) for one in question.choices]
    if widget is forms.Select:
        choices.insert(0, ("", "Choose…"))
    return forms.ChoiceField(choices=choices, widget=widget)


def _files(question):
    return FilesField(widget=FilesInput(attrs={"multiple": True}), most=MOST_FILES)


# By the kind of a question, the field it is asked with.
ASKED_WITH = {
    "text": lambda question: Line(max_length=300),
    "long_text": lambda question: Lines(max_length=5000, widget=forms.Textarea(attrs={"rows": 3})),
    "email": lambda question: forms.EmailField(widget=forms.EmailInput(attrs={"autocomplete": "email"})),
    "phone": lambda question: PhoneField(max_length=50),
    "number": lambda question: NumberField(max_length=40),
    "money": lambda question: MoneyField(currency=question.form.business.currency),
    "date": lambda question: forms.DateField(widget=forms.DateInput(attrs={"type": "date", "max": "9999-12-31"})),
    "one": lambda question: _choice(question, forms.RadioSelect),
    "list": lambda question: _choice(question, forms.Select),
    "many": lambda question: forms.MultipleChoiceField(
        choices=[(one, one) for one in question.choices], widget=forms.CheckboxSelectMultiple
    ),
    "yes_no": lambda question: forms.TypedChoiceField(
        choices=[("yes", "Yes"), ("no", "No")],
        widget=forms.RadioSelect,
        coerce=lambda value: value == "yes",
        empty_value=None,
    ),
    "file": _files,
}
# By where an answer goes, what a browser may fill in by itself.
AUTOFILL = {
    "name": "name",
    "given_name": "given-name",
    "family_name": "family-name",
    "company": "organization",
    "job_title": "organization-title",
    "address": "street-address",
}


class AnswerForm(forms.Form):
    """A form as the public fills it in: a field for each question, and what keeps machines away.

    There is no session and so no CSRF cookie: inside a frame on another site a browser would send neither. Nothing is
    done in anybody's name here, so what the token proves is enough: that this page was shown for this form, how long
    ago, and which of its showings was sent, so that two clicks make one card.
    """

    mark_optional = True

    def __init__(self, sent=None, files=None, *, form: IntakeForm, questions=None):
        super().__init__(sent, files, auto_id="%s")
        self.form = form
        self.questions = list(form.questions.all()) if questions is None else questions
        for question in self.questions:
            question.form = form
            self.fields[f"q-{question.pk}"] = _ask(question)

    @property
    def rows(self):
        """Give each question with its field."""
        return [(question, self[f"q-{question.pk}"]) for question in self.questions]

    @property
    def token(self) -> str:
        """Return the token that the page sends along: the one it was sent with for as long as that is good."""
        if self._showing:
            return self.data["token"]
        return signing.dumps({"key": uuid4().hex, "at": int(time.time())}, salt=self._salt)

    @property
    def key(self) -> str:
        """Return what is the same when this showing of the page is sent again as it was; other answers are news."""
        said = [f"{pk} {_as_sent(value)}" for pk, value in sorted(self.cleaned_data.items())]
        return sha256("\n".join([self._showing["key"], *said]).encode()).hexdigest()

    @property
    def doubt(self) -> str:
        """Return why it looks like no honest enquiry; nothing for one that does."""
        return TRAPPED if self.data.get(TRAP, "").strip() else ""

    def answers(self) -> dict:
        """Return the answers by their questions."""
        return {question: self.cleaned_data.get(f"q-{question.pk}") for question in self.questions}

    def clean(self):
        """Ask to send it again when the page is too old, not ours, or was sent quicker than anybody reads."""
        sent = super().clean()
        if self._showing is None:
            raise ValidationError("This page lay open for too long. Nothing is lost: send it again.", code="token")
        if not self.errors and time.time() - self._showing["at"] < SOONEST:
            raise ValidationError("That was very quick. Nothing is lost: send it again.", code="quick")
        return sent

    def blame(self, error: ValidationError) -> None:
        """Say a verb's refusal in words for the public, at the files where it is about them."""
        about = getattr(error, "error_dict", {})
        files = next((f"q-{question.pk}" for question in self.questions if question.kind == "file"), None)
        if "files" not in about or files is None:
            self.add_error(None, error.messages)
        elif any(one.code == "no_room" for one in about["files"]):
            self.add_error(
                files, "We cannot take files just now. Send the form without them, and we will ask you for them."
            )
        else:
            self.add_error(files, about["files"])

    def let_choose_files_again(self) -> None:
        """Say at each file question that was answered that its files did not stay, because the page comes back."""
        for name in self.files:
            if name in self.fields and name not in self.errors:
                self.add_error(name, LOST)

    @property
    def _salt(self) -> str:
        return f"intake form {self.form.pk}"

    @cached_property
    def _showing(self) -> dict | None:
        """Return which showing of the page was sent; None for one that is too old or not ours."""
        try:
            return signing.loads(self.data.get("token", ""), salt=self._salt, max_age=LONGEST)
        except signing.BadSignature:
            return None


def _ask(question) -> forms.Field:
    """Return the field a question is asked with."""
    field = ASKED_WITH[question.kind](question)
    field.label, field.required, field.help_text = question.label, question.required, question.help
    if question.kind == "file":
        most = f"At most {settings.FILE_MEGABYTES} MB each, {settings.BODY_BYTES // 1_000_000} MB together."
        field.help_text = " ".join(filter(None, [question.help, most]))
    if question.kind == "money" and not question.help:
        field.help_text = f"In {question.form.business.currency}."
    widget = field.widget
    widget.is_required = question.required
    widget.attrs.pop("maxlength", None)  # a browser would cut what is too long; we say so and keep it
    if question.target in AUTOFILL:
        widget.attrs["autocomplete"] = AUTOFILL[question.target]
    messages = {"required": "Choose one." if question.kind in CHOOSING else "This has to be filled in."}
    field.error_messages |= messages | {"max_length": TOO_LONG}
    if question.kind == "email":
        field.error_messages["invalid"] = UNFINISHED
        field.validators = [EmailValidator(UNFINISHED)]
    return field


def _as_sent(value):
    files = isinstance(value, list) and value and hasattr(value[0], "read")
    return [(file.name, file.size) for file in value] if files else value


# What its makers write --------------------------------------------------------------------------------


def _line(model, name: str, no_name: str = "", **options) -> Line:
    """Return a field for one line of a form or a question, with the model's own limit."""
    column = model._meta.get_field(name)
    messages = {"max_length": TOO_LONG} | ({"required": no_name} if no_name else {})
    options.setdefault("label", column.verbose_name.capitalize())
    return Line(max_length=column.max_length, required=bool(no_name), error_messages=messages, **options)


def _words(name: str, rows: int = 2, **options) -> Lines:
    """Return a field for what a form says."""
    column = IntakeForm._meta.get_field(name)
    options.setdefault("label", column.verbose_name.capitalize())
    area = forms.Textarea(attrs={"rows": rows})
    return Lines(
        max_length=column.max_length, required=False, error_messages={"max_length": TOO_LONG}, widget=area, **options
    )


class NewIntakeForm(forms.Form):
    """A form to be: what it is called, and in which workflow its cards appear."""

    title = _line(IntakeForm, "title", "Give the form a title.", help_text="People see it above the questions.")
    workflow = forms.ModelChoiceField(
        None, to_field_name="slug", empty_label=None, help_text="What is sent becomes a card there."
    )

    def __init__(self, *args, business, **options):
        super().__init__(*args, **options)
        self.fields["workflow"].queryset = business.workflows.live()
        self.fields["title"].widget.attrs |= {"autocomplete": "off", "placeholder": "Kitchen enquiry"}


class IntakeFormForm(forms.Form):
    """What a form says, and where its cards appear."""

    title = _line(IntakeForm, "title", "Give the form a title.")
    phase = forms.ModelChoiceField(None, required=False, empty_label="The first phase", label="Its cards appear in")
    introduction = _words("introduction", help_text="Stands below the title.")
    headline = _line(IntakeForm, "headline", help_text="Large, beside the form. Phones show the title alone.")
    steps = _words("steps", 4, help_text="One step a line: what happens, then after a colon what it means.")
    button = _line(IntakeForm, "button", "Say what the button does.")
    small_print = _line(IntakeForm, "small_print", help_text="Such as: We use this to reply to you, nothing else.")
    thanks = _words("thanks", help_text="Shown when it was sent.")
    card_name = _line(
        IntakeForm,
        "card_name",
        "Say what its cards are called.",
        help_text="{name} is who sent it, {company} their company, {form} this form. A question may name the card instead.",
    )
    tint = forms.TypedChoiceField(label="Colour", choices=TINTS, coerce=int, widget=forms.RadioSelect)

    def __init__(self, *args, form: IntakeForm, **options):
        initial = {name: getattr(form, name) for name in self.base_fields} | {"phase": form.phase_id}
        super().__init__(*args, initial=initial, auto_id="words-%s", **options)
        self.fields["phase"].queryset = form.workflow.phases.order_by("section", "position")
        for field in self.fields.values():
            field.widget.attrs.pop("maxlength", None)


class QuestionForm(forms.Form):
    """A question: what is asked, how it is answered, and where the answer goes."""

    label = _line(Question, "label", "Write the question.")
    kind = forms.ChoiceField(label="Kind of answer", choices=KINDS)
    choices = Lines(
        label="Choices",
        required=False,
        max_length=5000,
        error_messages={"max_length": TOO_LONG},
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="One a line, for a question with choices.",
    )
    goes_to = forms.ChoiceField(label="Where the answer goes", required=False)
    help = _line(Question, "help")
    required = forms.BooleanField(label="Has to be answered", required=False)
    half = forms.BooleanField(label="Half as wide", required=False)

    def __init__(self, *args, form: IntakeForm, question: Question | None = None, fields=None, **options):
        """Take the question that is changed, or none for a new one. fields: those of the workflow, read once."""
        if question:
            options["initial"] = {name: getattr(question, name) for name in Question.FIELDS}
            options["initial"] |= {"choices": "\n".join(question.choices), "goes_to": question.target}
            if question.target == "field":
                options["initial"]["goes_to"] = str(question.field_id or "note")
        super().__init__(*args, auto_id=f"question-{question.pk if question else 'new'}-%s", **options)
        self.own = {str(field.pk): field for field in (form.workflow.fields.all() if fields is None else fields)}
        targets = [(target, words) for target, words in TARGETS if target != "field"]
        groups = [("", "Where it usually goes"), *targets]
        if self.own:
            groups.append(("Fields of the workflow", [(pk, field.name) for pk, field in self.own.items()]))
        self.fields["goes_to"].choices = groups
        for field in self.fields.values():
            field.widget.attrs.pop("maxlength", None)

    def clean(self):
        """Return what Question takes: a target, and the field where it is one."""
        told = super().clean()
        to = told.pop("goes_to", "")
        told["target"], told["field"] = ("field", self.own[to]) if to in self.own else (to, None)
        told["choices"] = told.get("choices", "").split("\n")
        return told

    def blame(self, error: ValidationError) -> None:
        """Put a verb's refusal at the field it is about."""
        if not hasattr(error, "error_dict"):
            return self.add_error(None, error)
        for name, errors in error.error_dict.items():
            name = "goes_to" if name in ("target", "field") else name
            self.add_error(name if name in self.fields else None, errors)
        return None


class QuestionPlaceForm(forms.Form):
    """Where a question should stand, counted from 0."""

    question = forms.UUIDField()
    position = forms.IntegerField(min_value=0, max_value=1000)
