"""Rules that are carried in as a document."""

import json

from django import forms
from django.core.exceptions import ValidationError

LARGEST = 2_000_000  # bytes of a file


class CarryForm(forms.Form):
    """A document of one rule or of several, typed or in a file; others: how many of them can be taken though some cannot."""

    others = 0

    document = forms.CharField(
        required=False,
        label="The rule, as JSON",
        max_length=LARGEST,
        widget=forms.Textarea(attrs={"rows": 14, "class": "mono", "spellcheck": "false"}),
    )
    file = forms.FileField(
        required=False, label="Or a file", widget=forms.FileInput(attrs={"accept": ".json,application/json"})
    )

    def clean(self):
        """Read the document: one rule, a list of rules, or {"rules": […]} as they were exported."""
        sent = super().clean()
        text, file = sent.get("document", "").strip(), sent.get("file")
        if file is not None and file.size <= LARGEST:
            text = file.read().decode("utf-8", "replace")
        if not text:
            raise ValidationError({"document": "Paste a rule here, or choose a file."})
        try:
            found = json.loads(text)
            kept = json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair is no text
        except (ValueError, RecursionError) as error:
            at = (
                f" It goes wrong in line {error.lineno}: {error.msg}."
                if isinstance(error, json.JSONDecodeError)
                else ""
            )
            raise ValidationError({"document": f"This is no JSON.{at}"}) from None
        if rb"\u0000" in kept:
            raise ValidationError({"document": "Text may not contain the null character."})
        if isinstance(found, dict) and isinstance(found.get("rules"), list):
            found = found["rules"]
        found = found if isinstance(found, list) else [found]
        if not found or not all(isinstance(one, dict) for one in found):
            raise ValidationError({"document": "A rule is an object with trigger, conditions and actions."})
        self.text = text
        sent["found"] = {"rules": [one if "rule" in one else {"name": one.get("name"), "rule": one} for one in found]}
        return sent

    def blame(self, error: ValidationError) -> None:
        """Take in what the verb refused, rule by rule; what was in a file stands in the field then, to be mended."""
        self.data = self.data.copy()
        self.data["document"], self.others = self.text, getattr(error, "others", 0)
        if len(error.messages) == 1:
            return self.add_error("document", error.messages)
        self.add_error(None, error.messages)
        return self.add_error("document", f"{len(error.messages)} rules cannot be taken. Nothing was imported.")
