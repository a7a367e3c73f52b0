"""The rows of the top floor."""

from automations.models.rule import Rule
from automations.models.run import Run
from automations.models.timer import Timer

__all__ = ["Rule", "Run", "Timer"]
