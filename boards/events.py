"""What can happen to workflows, phases, labels and cards."""

from accounts.events import declare

declare("workflow.created", "Workflow created", "made the workflow {workflow}", ["workflow", "template"], icon="board")
declare(
    "workflow.updated",
    "Workflow changed",
    "changed {changed} of the workflow",
    ["changed", "before", "after"],
    icon="edit",
)
declare(
    "workflow.published",
    "Design published",
    "published version {version} of {workflow}: {changes}",
    ["workflow", "version", "comment", "changes"],
    icon="sliders",
)
declare("workflow.archived", "Workflow archived", "archived the workflow {workflow}", ["workflow"], icon="archive")
declare("workflow.restored", "Workflow restored", "restored the workflow {workflow}", ["workflow"], icon="undo")
declare(
    "workflow.deleted",
    "Workflow deleted",
    "deleted the workflow {workflow} for good",
    ["workflow", "cards"],
    icon="trash",
)
declare("phase.created", "Phase added", "added the phase {phase}", ["workflow", "phase"], icon="plus")
declare(
    "phase.updated",
    "Phase changed",
    "changed {changed} of the phase",
    ["workflow", "changed", "before", "after"],
    icon="edit",
)
declare(
    "phase.moved",
    "Phase reordered",
    "moved the phase {phase} to place {after}",
    ["workflow", "phase", "before", "after"],
)
declare(
    "phase.deleted",
    "Phase deleted",
    "deleted the phase {phase}; {cards} cards went to {to}",
    ["workflow", "phase", "cards", "to"],
    icon="trash",
)
declare("phase.retired", "Phase retired", "let running cards finish in {phase}", ["workflow", "phase"], icon="archive")
declare("label.created", "Label made", "made the label {label}", ["workflow", "label"], icon="tag")
declare(
    "label.updated",
    "Label changed",
    "changed the label {before} to {after}",
    ["workflow", "before", "after"],
    icon="tag",
)
declare("label.deleted", "Label deleted", "deleted the label {label}", ["workflow", "label"], icon="tag")

declare(
    "card.created",
    "Card created",
    "created this card in {phase}",
    ["workflow", "phase", "number", "source"],
    icon="form",
)
declare(
    "card.moved",
    "Card moved",
    "moved this from {before} to {after}",
    ["workflow", "number", "before", "after", "rank", "filled"],  # filled: the events of what was filled in on the way
)
declare("card.reordered", "Card reordered", "moved this within {after}", ["workflow", "number", "after", "rank"])
declare(
    "card.updated",
    "Card changed",
    "changed {changed}",
    ["workflow", "number", "changed", "before", "after"],
    icon="edit",
)
declare(
    "card.assigned",
    "Card assigned",
    "assigned {names}",
    ["workflow", "number", "names", "before", "after"],
    icon="user",
)
declare("card.label_added", "Label added", "added the label {label}", ["workflow", "number", "label"], icon="tag")
declare("card.label_removed", "Label removed", "removed the label {label}", ["workflow", "number", "label"], icon="tag")
declare("card.archived", "Card archived", "archived this card", ["workflow", "number", "phase"], icon="archive")
declare("card.restored", "Card restored", "restored this card to {phase}", ["workflow", "number", "phase"], icon="undo")
declare("card.deleted", "Card deleted", "deleted card {number} for good", ["workflow", "number"], icon="trash")
declare(
    "card.commented",
    "Comment written",
    "commented: {text}",
    ["workflow", "number", "comment", "text", "mentions"],
    icon="comment",
)
declare(
    "card.comment_changed",
    "Comment changed",
    "changed a comment",
    ["workflow", "number", "comment", "before", "after"],
    icon="comment",
)
declare(
    "card.comment_deleted",
    "Comment deleted",
    "deleted a comment",
    ["workflow", "number", "comment", "text"],
    icon="comment",
)
declare(
    "card.attached",
    "File attached",
    "attached {file}",
    ["workflow", "number", "attachment", "file", "size"],
    icon="clip",
)
declare(
    "card.attachment_deleted",
    "File deleted",
    "deleted the file {file}",
    ["workflow", "number", "attachment", "file"],
    icon="trash",
)
declare(
    "card.item_added",
    "Checklist item added",
    "added “{text}” to the checklist",
    ["workflow", "number", "item", "text"],
    icon="checklist",
)
declare(
    "card.item_checked",
    "Checklist item done",
    "ticked “{text}”",
    ["workflow", "number", "item", "text", "left"],
    icon="checklist",
)
declare(
    "card.item_unchecked",
    "Checklist item reopened",
    "unticked “{text}”",
    ["workflow", "number", "item", "text"],
    icon="checklist",
)
declare(
    "card.item_changed",
    "Checklist item changed",
    "changed “{before}” to “{after}”",
    ["workflow", "number", "item", "before", "after"],
    icon="checklist",
)
declare(
    "card.item_removed",
    "Checklist item removed",
    "removed “{text}” from the checklist",
    ["workflow", "number", "item", "text", "position", "done"],
    icon="checklist",
)

declare(
    "library.stocked",
    "Libraries filled",
    "filled the libraries with a starter set of {statuses} statuses",
    ["statuses"],
    icon="list",
)
for noun, label in (
    ("status", "Status"),
    ("trigger", "Trigger"),
    ("reason", "Reason"),
    ("order_type", "Order type"),
):
    declare(f"{noun}.created", f"{label} made", f"made the {label.lower()} {{entry}}", ["entry"], icon="list")
    declare(
        f"{noun}.updated",
        f"{label} changed",
        f"changed the {label.lower()} {{entry}}",
        ["entry", "before", "after"],
        icon="list",
    )
    declare(f"{noun}.retired", f"{label} retired", f"retired the {label.lower()} {{entry}}", ["entry"], icon="archive")
    declare(
        f"{noun}.restored",
        f"{label} brought back",
        f"brought back the {label.lower()} {{entry}}",
        ["entry"],
        icon="undo",
    )
declare("field.created", "Field added", "added the field {field}", ["workflow", "field"], icon="form")
declare(
    "field.updated",
    "Field changed",
    "changed the field {before} to {after}",
    ["workflow", "before", "after"],
    icon="form",
)
declare("field.deleted", "Field deleted", "deleted the field {field}", ["workflow", "field"], icon="form")
declare(
    "card.fields_filled",
    "Fields filled in",
    "filled in {changed}",
    ["workflow", "number", "changed", "before", "after", "was"],
    icon="edit",
)
declare(
    "card.reported",
    "Something reported",
    "reported: {label}",
    ["workflow", "number", "trigger", "label", "phase"],
    icon="bolt",
)
declare(
    "card.signalled",
    "Event sent",
    "sent the event {said}",
    ["workflow", "number", "event", "phase", "attributes", "said"],
    icon="bolt",
)
declare(
    "order_type.chained",
    "Order type's chain changed",
    "changed the chain of {entry} to {after}",
    ["entry", "before", "after"],
    icon="link",
)
declare("order.opened", "Order opened", "opened the order {order} ({kind})", ["order", "kind"], icon="truck")
declare("order.updated", "Order changed", "changed the order {order}", ["order", "before", "after"], icon="edit")
declare(
    "order.advanced",
    "Order moved on",
    "moved the order {order} on to {workflow}",
    ["order", "workflow", "card"],
    icon="arrow",
)
declare(
    "order.step_skipped",
    "Order step skipped",
    "skipped {workflow} for the order {order}",
    ["order", "workflow"],
    icon="arrow",
)
declare(
    "order.taken_back",
    "Order taken back",
    "took back that {workflow} was done for the order {order}",
    ["order", "workflow"],
    icon="undo",
)
declare("order.completed", "Order completed", "completed the order {order}", ["order"], icon="star")
declare("order.cancelled", "Order cancelled", "cancelled the order {order}", ["order"], icon="x")
declare(
    "card.held_back",
    "Card held back",
    "could not move this on to {phase}: {why}",
    ["workflow", "number", "phase", "why"],
    icon="warn",
)
declare("form.created", "Form made", "made the form {form}", ["workflow", "form"], icon="form")
declare(
    "form.updated",
    "Form changed",
    "changed {changed} of the form {form}",
    ["workflow", "form", "changed", "before", "after"],
    icon="edit",
)
declare(
    "form.questions_changed",
    "Questions of a form changed",
    "changed the form {form}: {what}",
    ["workflow", "form", "what"],
    icon="edit",
)
declare("form.opened", "Form opened", "opened the form {form} to the public", ["workflow", "form"], icon="globe")
declare("form.closed", "Form closed", "closed the form {form}", ["workflow", "form"], icon="x")
declare(
    "form.deleted",
    "Form deleted",
    "deleted the form {form} and what was sent through it: {submissions}",
    ["workflow", "form", "submissions"],
    icon="trash",
)
declare(
    "form.submitted",
    "Form sent in",
    "was sent in by {who}",
    ["workflow", "number", "form", "submission", "who"],
    icon="form",
)
declare(
    "form.doubted",
    "Form sent in by a machine",
    "was sent in by what looks like a machine",
    ["workflow", "form", "submission"],
    icon="warn",
)
declare(
    "submission.card_made",
    "Card made of a submission",
    "made a card of what {who} had sent in with {form}",
    ["workflow", "number", "form", "who"],
    icon="form",
)
declare(
    "submission.deleted",
    "Submission deleted",
    "deleted what {who} had sent in with {form}",
    ["workflow", "form", "who"],
    icon="trash",
)
