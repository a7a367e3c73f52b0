"""Rules and what they did, in the back room."""

from django.contrib import admin

from accounts.admin import SeenAdmin
from automations.models import Rule, Run, Timer

BUSINESS = ("business__name", "business__slug")


@admin.register(Rule)
class RuleAdmin(SeenAdmin):
    """What happens by itself."""

    says = "Rules are written, switched and deleted in the app, or through its API."
    list_display = ("name", "business", "workflow", "trigger", "state", "version", "updated_at")
    list_filter = ("state", "trigger")
    list_select_related = ("business", "workflow")
    search_fields = ("name", *BUSINESS)
    date_hierarchy = "created_at"


@admin.register(Run)
class RunAdmin(SeenAdmin):
    """What rules did, and why they did not."""

    says = "Runs are written by the rules themselves. Those that failed are tried again in the app."
    list_display = ("name", "business", "card_name", "state", "reason", "step", "began_at")
    list_filter = ("state",)
    list_select_related = ("business",)
    search_fields = ("name", "card_name", *BUSINESS)
    date_hierarchy = "began_at"


@admin.register(Timer)
class TimerAdmin(SeenAdmin):
    """What was reported for a later time."""

    says = "Timers are set and cancelled by programs, through the API."
    list_display = ("trigger", "business", "card", "external_id", "at", "fired_at", "cancelled_at")
    list_filter = ("trigger",)
    list_select_related = ("business", "card")
    search_fields = ("trigger", "external_id", *BUSINESS)
    date_hierarchy = "at"
