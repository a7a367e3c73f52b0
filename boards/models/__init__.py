"""The rows of the third floor."""

from boards.models.card import Assignment, Card
from boards.models.checklist import Item
from boards.models.comment import Comment
from boards.models.label import CardLabel, Label
from boards.models.phase import Phase
from boards.models.workflow import Workflow

__all__ = ["Assignment", "Card", "CardLabel", "Comment", "Item", "Label", "Phase", "Workflow"]
