"""The rows of the third floor."""

from boards.models.attachment import Attachment, Content
from boards.models.card import Assignment, Card
from boards.models.checklist import Item
from boards.models.closing import Closing
from boards.models.comment import Comment
from boards.models.definition import Definition
from boards.models.draft import Draft
from boards.models.field import Field
from boards.models.intake import IntakeForm, Question, Submission, SubmittedFile
from boards.models.label import CardLabel, Label
from boards.models.library import Reason, Status, Trigger
from boards.models.order import Order, OrderStage, OrderStep, OrderType
from boards.models.phase import Phase
from boards.models.workflow import Workflow

__all__ = [
    "Assignment",
    "Attachment",
    "Card",
    "CardLabel",
    "Closing",
    "Comment",
    "Content",
    "Definition",
    "Draft",
    "Field",
    "IntakeForm",
    "Item",
    "Label",
    "Order",
    "OrderStage",
    "OrderStep",
    "OrderType",
    "Phase",
    "Question",
    "Reason",
    "Status",
    "Submission",
    "SubmittedFile",
    "Trigger",
    "Workflow",
]
