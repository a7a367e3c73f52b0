"""Which card a rule is tried on."""

from django import forms
from django.core.exceptions import ValidationError

from automations.forms.rule import Sheet
from automations.models import Rule
from automations.trying import Trial, try_on

MOST_FOUND = 6


class TryForm(forms.Form):
    """A card, by its number or words of its name."""

    card = forms.CharField(required=False, max_length=200, label="Card")

    def __init__(self, *args, business=None, workflow=None, **options):
        super().__init__(*args, **options)
        self.business, self.workflow = business, workflow

    def clean_card(self):
        """Return the card that is meant; raises ValidationError when none or several are."""
        said = self.cleaned_data["card"].replace("\x00", "").strip()
        cards = self.business.cards.filter(archived_at=None, workflow__archived_at=None)
        if self.workflow:
            cards = cards.filter(workflow=self.workflow)
        cards = cards.select_related("phase", "workflow", "contact", "business").order_by("-number")
        number = said.lstrip("#")
        if number.isdecimal() and len(number) < 10:
            found = list(cards.filter(number=int(number)))
        else:
            for word in said.casefold().split()[:10]:
                cards = cards.filter(search__contains=word)
            found = list(cards[: MOST_FOUND + 1]) if said else list(cards[:1])
        if not found:
            raise ValidationError("There is no such card here." if said else "There is no card yet to try it on.")
        same = [card for card in found if card.name.casefold() == said.casefold()]
        if len(found) > 1 and len(same) != 1:
            named = ", ".join(f"{card.number} {card.name[:40]}" for card in found[:MOST_FOUND])
            raise ValidationError(f"Several cards are called like this: {named}. Write the number of one.")
        return same[0] if len(same) == 1 else found[0]

    def try_out(self, sheet: Sheet, rule: Rule | None) -> Trial:
        """Try what lies in the editor, saved or not, without effects."""
        tried = Rule(business=self.business, workflow=sheet.workflow, name=sheet.title[:120], document=sheet.document)
        tried.pk = rule.pk if rule else tried.pk
        card = self.cleaned_data["card"]
        trial = try_on(tried, card)
        trial.card = card
        return trial
