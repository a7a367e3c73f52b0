"""What can happen to rules, and to cards because of them."""

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
