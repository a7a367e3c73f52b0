"""What people give to the versions of a design: a whole document, a name for a copy."""

import json
import re

from django import forms
from django.core.exceptions import ValidationError

from boards import checking
from boards.forms.workflows import _name
from boards.models import Workflow

LARGEST = 1_000_000  # bytes of a file


class DocumentForm(forms.Form):
    """A design in a file, or pasted."""

    file = forms.FileField(
        label="A file", required=False, widget=forms.FileInput(attrs={"accept": ".json,application/json"})
    )
    document = forms.CharField(
        label="Or the document itself, as JSON",
        required=False,
        max_length=LARGEST,
        widget=forms.Textarea(attrs={"rows": 8, "class": "mono", "spellcheck": "false"}),
    )

    def clean(self):
        """Read the document; raises ValidationError for what is no design, every problem in words."""
        sent = super().clean()
        file, text = sent.get("file"), sent.get("document", "").strip()
        if file is not None:
            if file.size > LARGEST:
                raise ValidationError({"file": "A design is no larger than a megabyte."})
            text = file.read().decode("utf-8-sig", "replace")
        if not text:
            raise ValidationError({"file": "Choose a file, or paste the document below."})
        where = "document" if file is None else "file"
        read = read_json(text, where)
        if isinstance(read, dict):
            read, _ = checking.apart(read)
        wrong = [problem.text for problem in checking.check(read) if problem.severity == "error"]
        if wrong:
            raise ValidationError({where: wrong[:20]})
        sent["found"] = read
        return sent


class CopyForm(forms.Form):
    """What the copy of a workflow is called."""

    name = _name(Workflow, label="Name of the new workflow")


def read_json(text: str, where: str):
    """Return what JSON says; raises ValidationError, at a field, with the line that is wrong."""
    try:
        found = json.loads(text, parse_constant=_no_number)
        json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        at = f" It goes wrong in line {error.lineno}." if isinstance(error, json.JSONDecodeError) else ""
        said = f"This is no JSON.{at}"
        raise ValidationError({where: said}) from None
    if re.search(r"\\u0000", text):
        raise ValidationError({where: "Text may not contain the null character."})
    return found


def _no_number(name):
    raise ValueError(f"{name} is no number")
