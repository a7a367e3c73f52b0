"""What can happen to rules, to cards because of them, and to what leaves the building."""

from accounts.events import declare

declare("rule.created", "Rule made", "made the rule {rule}", ["rule"], icon="bolt")
declare("rule.updated", "Rule changed", "changed {changed} of the rule {rule}", ["rule", "changed", "before", "after"])
declare("rule.switched", "Rule switched", "set the rule {rule} to {after}", ["rule", "before", "after"], icon="bolt")
declare("rule.deleted", "Rule deleted", "deleted the rule {rule}", ["rule"], icon="trash")
declare("rule.came_due", "Rule's time came", "came round: {why}", ["why"], icon="clock")
declare(
    "rule.failed",
    "Rule failed",
    "could not finish on {card}: {error}",
    ["rule", "card", "number", "error", "run"],
    icon="warn",
)
declare("rule.stopped", "Rule stopped", "was stopped: {why}", ["rule", "card", "number", "why", "run"], icon="warn")
declare("card.came_due", "Time came", "came due here: {why}", ["workflow", "number", "why"], icon="clock")
declare(
    "card.button_pressed",
    "Button pressed",
    "pressed “{label}”",
    ["workflow", "number", "rule", "label"],
    icon="bolt",
)
declare(
    "card.report_planned",
    "Report planned",
    "will report on {at}: {label}",
    ["workflow", "number", "label", "at", "timer"],
    icon="clock",
)
declare(
    "card.signal_taken",
    "Event taken in",
    "handed in the event {event}, to be sent as soon as can be",
    ["workflow", "number", "event", "timer"],
    icon="clock",
)
declare(
    "card.report_cancelled",
    "Planned report cancelled",
    "will not report: {label}",
    ["workflow", "number", "label", "timer"],
    icon="x",
)

declare(
    "card.report_failed",
    "Planned report set aside",
    "could not report {label} as planned: {why}",
    ["workflow", "number", "label", "timer", "why"],
    icon="warn",
)
declare(
    "card.report_retried",
    "Planned report tried again",
    "had it reported again: {label}",
    ["workflow", "number", "label", "timer"],
    icon="refresh",
)

declare(
    "webhook.created", "Webhook made", "made the webhook {webhook} for {events}", ["webhook", "events"], icon="link"
)
declare("webhook.updated", "Webhook changed", "changed {changed} of the webhook", ["webhook", "changed"], icon="link")
declare("webhook.rotated", "Webhook's secret renewed", "gave {webhook} a new secret", ["webhook"], icon="key")
declare("webhook.disabled", "Webhook switched off", "switched off {webhook}: {why}", ["webhook", "why"], icon="warn")
declare("webhook.enabled", "Webhook switched on", "switched on {webhook}", ["webhook"], icon="link")
declare("webhook.deleted", "Webhook deleted", "deleted the webhook {webhook}", ["webhook"], icon="trash")
declare(
    "delivery.hurried",
    "Sent before its time",
    "let the {what} {subject} to {to} leave at once",
    ["what", "subject", "to"],
    icon="send",
)
declare(
    "delivery.stopped",
    "Kept from leaving",
    "stopped the {what} {subject} to {to}: {why}",
    ["what", "subject", "to", "why"],
    icon="x",
)
declare(
    "delivery.resent",
    "Sent again",
    "sent the {what} {subject} to {to} again",
    ["what", "subject", "to"],
    icon="refresh",
)
declare(
    "delivery.given_up",
    "Sending given up",
    "gave up sending the {what} {subject} to {to}: {why}",
    ["what", "subject", "to", "why"],
    icon="warn",
)
declare("template.created", "Mail template made", "made the mail template {template}", ["template"], icon="mail")
declare(
    "template.stocked",
    "Mail templates to begin with",
    "added {count} mail templates to begin with",
    ["count"],
    icon="mail",
)
declare(
    "template.updated",
    "Mail template changed",
    "changed {changed} of the mail template {template}",
    ["template", "changed"],
    icon="mail",
)
declare("template.deleted", "Mail template deleted", "deleted the mail template {template}", ["template"], icon="trash")
declare("letterhead.updated", "Letterhead changed", "changed {changed} of the letterhead", ["changed"], icon="mail")
declare("inlet.created", "Address made", "made the address {inlet} for another program", ["inlet"], icon="link")
declare("inlet.updated", "Address changed", "changed {changed} of {inlet}", ["inlet", "changed"], icon="link")
declare("inlet.rotated", "Address renewed", "gave {inlet} a new address", ["inlet"], icon="key")
declare("inlet.deleted", "Address deleted", "deleted the address {inlet}", ["inlet"], icon="trash")
