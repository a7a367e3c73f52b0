"""The rows of the top floor."""

from automations.models.delivery import Delivery
from automations.models.inlet import Inlet, Received
from automations.models.notification import Notification, Preference
from automations.models.rule import Rule
from automations.models.run import Run
from automations.models.template import Letterhead, MailTemplate
from automations.models.timer import Timer
from automations.models.webhook import Webhook
from automations.models.worker import Worker

__all__ = [
    "Delivery",
    "Inlet",
    "Letterhead",
    "MailTemplate",
    "Notification",
    "Preference",
    "Received",
    "Rule",
    "Run",
    "Timer",
    "Webhook",
    "Worker",
]
