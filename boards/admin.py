"""Workflows, phases and cards in the back room."""

from django.contrib import admin

from accounts.admin import ArchivedFilter, Seen, SeenAdmin, VerbAdmin, deed
from boards.models import (
    Assignment,
    Attachment,
    Card,
    CardLabel,
    Closing,
    Comment,
    Content,
    Definition,
    Draft,
    Field,
    IntakeForm,
    Item,
    Label,
    Order,
    OrderStage,
    OrderStep,
    OrderType,
    Phase,
    Question,
    Reason,
    Status,
    Submission,
    SubmittedFile,
    Trigger,
    Workflow,
)
from boards.ordering import BOTTOM

BUSINESS = ("business__name", "business__slug")
ARCHIVING = (
    deed("archive", "Archive"),
    deed("restore", "Restore"),
    deed("delete_for_good", "Delete for good what is archived", final=True),
)


class PhasesSeen(Seen):
    """The phases of a workflow, in order."""

    model = Phase
    fields = ("name", "stage", "section", "position", "card_count", "value_total")
    show_change_link = True


class LabelsSeen(Seen):
    """The labels of a workflow."""

    model = Label
    fields = ("name", "tint")
    show_change_link = True


@admin.register(Workflow)
class WorkflowAdmin(VerbAdmin):
    """Processes of businesses."""

    takes = Workflow.FIELDS
    needs = ("business",)
    autocomplete_fields = ("business",)
    list_display = ("name", "business", "type", "slug", "created_at", "last_access", "archived_at")
    list_filter = (ArchivedFilter, "type")
    list_select_related = ("business",)
    search_fields = ("name", "slug", *BUSINESS)
    date_hierarchy = "created_at"
    inlines = (PhasesSeen, LabelsSeen)
    actions = ARCHIVING

    def make(self, values, by):
        """Make a workflow that holds nothing but its win phase."""
        return Workflow.create(values.pop("business"), **values, by=by)


@admin.register(Phase)
class PhaseAdmin(VerbAdmin):
    """Steps of workflows."""

    says = (
        "Changes made here are those of the app itself: checked by the same rules and told in the ledger as yours. "
        "Phases are put in order and deleted in the app, where it is asked where their cards should go."
    )
    takes = ("name", "description", "stage")
    needs = ("workflow",)
    autocomplete_fields = ("workflow",)
    list_display = ("name", "workflow", "business", "stage", "section", "position", "card_count", "value_total")
    list_filter = ("stage", "section")
    list_select_related = ("workflow", "business")
    search_fields = ("name", "workflow__name", *BUSINESS)
    date_hierarchy = "created_at"

    def make(self, values, by):
        """Make a phase at the end of the path."""
        return Phase.create(values.pop("workflow"), **values, by=by)


@admin.register(Label)
class LabelAdmin(VerbAdmin):
    """Labels of workflows."""

    takes = ("name", "tint")
    needs = ("workflow",)
    autocomplete_fields = ("workflow",)
    list_display = ("name", "tint", "workflow", "business", "created_at")
    list_filter = ("tint",)
    list_select_related = ("workflow", "business")
    search_fields = ("name", "workflow__name", *BUSINESS)
    actions = (deed("delete_everywhere", "Delete, and take off every card", final=True),)

    def make(self, values, by):
        """Make a label."""
        return Label.create(values.pop("workflow"), **values, by=by)


@admin.register(Definition)
class DefinitionAdmin(SeenAdmin):
    """Versions of designs."""

    says = "A version is never changed: publish another one, on the Steps page of its workflow or over the API."
    list_display = ("workflow", "version", "business", "author_name", "comment", "created_at")
    list_select_related = ("workflow", "business")
    search_fields = ("workflow__name", "comment", *BUSINESS)
    date_hierarchy = "created_at"


@admin.register(Draft)
class DraftAdmin(SeenAdmin):
    """Designs that are being worked on."""

    says = "A draft is changed, published and thrown away in the app, on the Steps page of its workflow."
    list_display = ("workflow", "business", "author", "changed_by", "updated_at")
    list_select_related = ("workflow", "business", "author", "changed_by")
    search_fields = ("workflow__name", *BUSINESS)
    date_hierarchy = "updated_at"


class AssignmentsSeen(Seen):
    """Who is responsible for a card."""

    model = Assignment
    fields = ("member",)
    related = ("member__user", "card")


class CardLabelsSeen(Seen):
    """The labels a card wears."""

    model = CardLabel
    fields = ("label",)
    related = ("label", "card")


class ItemsSeen(Seen):
    """The checklist of a card."""

    model = Item
    fields = ("text", "done_at", "done_by")
    related = ("done_by",)
    show_change_link = True


class CommentsSeen(Seen):
    """What was said on a card."""

    model = Comment
    fields = ("created_at", "author_name", "text", "changed_at")
    show_change_link = True


class FilesSeen(Seen):
    """The files of a card."""

    model = Attachment
    fields = ("name", "author_name", "created_at")
    show_change_link = True


@admin.register(Card)
class CardAdmin(VerbAdmin):
    """Pieces of work."""

    says = (
        "Changes made here are those of the app itself: checked by the same rules and told in the ledger as yours. "
        "Another phase is a move, to the bottom of that phase. People, labels, checklist, comments and files are changed in the app."
    )
    takes = ("phase", *Card.FIELDS)
    needs = ("phase",)
    hides = ("search", "rank")
    autocomplete_fields = ("phase", "contact")
    list_display = ("number", "name", "business", "workflow", "phase", "contact", "value", "due_date", "archived_at")
    list_display_links = ("number", "name")
    list_filter = (ArchivedFilter, "phase__section", "due_date")
    list_select_related = ("business", "workflow", "phase", "contact")
    search_fields = ("name", "=number", "contact__name", "workflow__name", *BUSINESS)
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    inlines = (AssignmentsSeen, CardLabelsSeen, ItemsSeen, CommentsSeen, FilesSeen)
    actions = ARCHIVING

    def make(self, values, by):
        """Make a card at the bottom of a phase."""
        return Card.create(values.pop("phase"), **values, by=by)

    def change(self, row, values, by):
        """Move the card, change it, or both."""
        if "phase" in values:
            row.move(values.pop("phase"), BOTTOM, by=by)
        if values:
            row.update(**values, by=by)


@admin.register(Item)
class ItemAdmin(VerbAdmin):
    """Lines of checklists."""

    says = "Words can be put right here and lines taken off; lines are added and ticked in the app."
    takes = ("text",)
    list_display = ("text", "card", "business", "done_at", "done_by")
    list_filter = (("done_at", admin.EmptyFieldListFilter),)
    list_select_related = ("card", "business", "done_by")
    search_fields = ("text", "card__name", *BUSINESS)
    actions = (deed("remove", "Take off the checklist", final=True),)

    def change(self, row, values, by):
        """Change the words."""
        row.rename(values["text"], by=by)


@admin.register(Comment)
class CommentAdmin(VerbAdmin):
    """What was said on cards."""

    says = "Words can be taken back here, and comments too; the ledger keeps what they began with."
    takes = ("text",)
    list_display = ("__str__", "card", "business", "author_name", "created_at", "changed_at")
    list_filter = (("changed_at", admin.EmptyFieldListFilter),)
    list_select_related = ("card", "business")
    search_fields = ("text", "author_name", "card__name", *BUSINESS)
    date_hierarchy = "created_at"
    actions = (deed("remove", "Take the comment away", final=True),)

    def change(self, row, values, by):
        """Change the words."""
        row.update(values["text"], by=by)


@admin.register(Attachment)
class AttachmentAdmin(VerbAdmin):
    """Files on cards."""

    says = "Files are attached and read in the app. They can be deleted here, for good; the ledger keeps their names."
    hides = ("content",)
    shows = ("size",)
    list_display = ("name", "card", "business", "size", "author_name", "created_at")
    search_fields = ("name", "author_name", "card__name", *BUSINESS)
    date_hierarchy = "created_at"
    actions = (deed("remove", "Delete the file", final=True),)

    def get_queryset(self, request):
        """Leave the bytes where they are."""
        return super().get_queryset(request).for_list().select_related("card", "business")

    @admin.display(ordering="content__size", description="bytes")
    def size(self, file):
        """Return how large it is."""
        return file.content.size


@admin.register(Content)
class ContentAdmin(SeenAdmin):
    """The bytes of files."""

    says = "The bytes of files. They come and go with the files that have them; nobody looks into them here."
    hides = ("data",)
    list_display = ("id", "business", "size", "created_at")
    list_select_related = ("business",)
    search_fields = BUSINESS
    date_hierarchy = "created_at"

    def get_queryset(self, request):
        """Leave the bytes where they are."""
        return super().get_queryset(request).defer("data")


@admin.register(Assignment)
class AssignmentAdmin(SeenAdmin):
    """Who is responsible for which card."""

    says = "People are assigned on the card, in the app."
    list_display = ("member", "card", "business")
    list_select_related = ("member__user", "card__business")
    search_fields = ("member__user__name", "member__user__email", "card__name")

    @admin.display(ordering="card__business__name")
    def business(self, row):
        """Return whose card it is."""
        return row.card.business


@admin.register(CardLabel)
class CardLabelAdmin(SeenAdmin):
    """Which card wears which label."""

    says = "Labels are put on cards in the app."
    list_display = ("label", "card", "business")
    list_filter = ("label__tint",)
    list_select_related = ("label", "card__business")
    search_fields = ("label__name", "card__name")

    @admin.display(ordering="card__business__name")
    def business(self, row):
        """Return whose card it is."""
        return row.card.business


class LibraryAdmin(VerbAdmin):
    """What the libraries share."""

    needs = ("business",)
    autocomplete_fields = ("business",)
    list_select_related = ("business",)
    search_fields = ("name", *BUSINESS)
    date_hierarchy = "created_at"
    actions = (deed("retire", "Retire"), deed("bring_back", "Bring back"))

    def make(self, values, by):
        """Put an entry into a business's library."""
        return self.model.create(values.pop("business"), **values, by=by)


@admin.register(Status)
class StatusAdmin(LibraryAdmin):
    """The statuses phases are picked from."""

    takes = ("name", "stage", "tint", "description", "public_name")
    list_display = ("name", "business", "stage", "public_name", "retired_at")
    list_filter = ("stage",)


@admin.register(Trigger)
class TriggerAdmin(LibraryAdmin):
    """What can be reported."""

    takes = ("name", "description")
    list_display = ("name", "key", "business", "retired_at")


@admin.register(Reason)
class ReasonAdmin(LibraryAdmin):
    """Why work ends badly."""

    takes = ("name", "caused_by")
    list_display = ("name", "caused_by", "business", "retired_at")
    list_filter = ("caused_by",)


@admin.register(Field)
class FieldAdmin(VerbAdmin):
    """Custom fields of workflows."""

    takes = ("name", "choices")
    needs = ("workflow", "kind")
    autocomplete_fields = ("workflow",)
    list_display = ("name", "kind", "workflow", "business", "position")
    list_filter = ("kind",)
    list_select_related = ("workflow", "business")
    search_fields = ("name", "workflow__name", *BUSINESS)
    actions = (deed("remove", "Delete", final=True),)

    def make(self, values, by):
        """Add a field to a workflow."""
        return Field.create(values.pop("workflow"), **values, by=by)


@admin.register(Closing)
class ClosingAdmin(SeenAdmin):
    """Why cards were cancelled."""

    list_display = ("card", "reason_name", "caused_by", "refund", "refund_amount", "closed_at", "reopened_at")
    list_filter = ("caused_by", "refund")
    list_select_related = ("card",)
    search_fields = ("card__name", "reason_name", *BUSINESS)
    date_hierarchy = "closed_at"


class StagesSeen(Seen):
    """The chain of an order type."""

    model = OrderStage
    fields = ("position", "workflow")
    related = ("workflow", "type")


@admin.register(OrderType)
class OrderTypeAdmin(LibraryAdmin):
    """Kinds of orders."""

    takes = ("name", "code", "description")
    list_display = ("name", "code", "business", "retired_at")
    inlines = (StagesSeen,)


@admin.register(OrderStage)
class OrderStageAdmin(SeenAdmin):
    """The workflows of order types."""

    list_display = ("type", "position", "workflow")
    list_select_related = ("type", "workflow")
    search_fields = ("type__name", "workflow__name")


class StepsSeen(Seen):
    """The steps of an order."""

    model = OrderStep
    fields = ("position", "workflow", "card", "done_at", "skipped_at")
    related = ("workflow", "card", "order__type")


@admin.register(Order)
class OrderAdmin(SeenAdmin):
    """Runs of order types."""

    list_display = ("number", "name", "type", "business", "contact", "due_date", "completed_at", "cancelled_at")
    list_filter = ("completed_at", "cancelled_at")
    list_select_related = ("type", "business", "contact")
    search_fields = ("name", "type__name", *BUSINESS)
    date_hierarchy = "opened_at"
    inlines = (StepsSeen,)


@admin.register(OrderStep)
class OrderStepAdmin(SeenAdmin):
    """The steps of orders."""

    list_display = ("order", "position", "workflow", "card", "done_at", "skipped_at")
    list_select_related = ("order__type", "workflow", "card")
    search_fields = ("order__name", "workflow__name")


class QuestionsSeen(Seen):
    """The questions of a form."""

    model = Question
    fields = ("position", "label", "kind", "target", "required")


@admin.register(IntakeForm)
class IntakeFormAdmin(VerbAdmin):
    """Public pages whose answers become cards."""

    says = (
        "Changes made here are those of the app itself: checked by the same rules and told in the ledger as yours. "
        "Its questions are changed in the app."
    )
    takes = IntakeForm.FIELDS
    needs = ("workflow",)
    autocomplete_fields = ("workflow", "phase")
    list_display = ("title", "slug", "business", "workflow", "opened_at", "updated_at")
    list_filter = (("opened_at", admin.EmptyFieldListFilter),)
    list_select_related = ("business", "workflow")
    search_fields = ("title", "slug", "workflow__name", *BUSINESS)
    date_hierarchy = "created_at"
    inlines = (QuestionsSeen,)
    actions = (
        deed("open", "Open to the public"),
        deed("close", "Close"),
        deed("delete_for_good", "Delete what is closed, with what was sent", final=True),
    )

    def make(self, values, by):
        """Make a form without questions."""
        return IntakeForm.create(values.pop("workflow"), **values, by=by)


@admin.register(Question)
class QuestionAdmin(SeenAdmin):
    """What forms ask."""

    says = "Questions are changed on the page of their form, in the app."
    list_display = ("label", "form", "business", "kind", "target", "required", "position")
    list_filter = ("kind", "target")
    list_select_related = ("form", "business")
    search_fields = ("label", "form__title", *BUSINESS)


@admin.register(Submission)
class SubmissionAdmin(VerbAdmin):
    """What was sent through forms."""

    says = "What people sent is kept as it was. It can be deleted here, with its files; its card and its contact stay."
    hides = ("key",)
    list_display = ("sent_at", "__str__", "form", "business", "card", "reason")
    list_select_related = ("form", "business", "card")
    search_fields = ("form__title", "contact__name", "card__name", *BUSINESS)
    date_hierarchy = "sent_at"
    actions = (deed("delete_for_good", "Delete, with its files", final=True),)


@admin.register(SubmittedFile)
class SubmittedFileAdmin(SeenAdmin):
    """Files that came through forms."""

    says = "Files come and go with what was sent; they are read in the app."
    hides = ("content",)
    list_display = ("name", "submission", "business")
    list_select_related = ("submission", "business")
    search_fields = ("name", "submission__form__title", *BUSINESS)
