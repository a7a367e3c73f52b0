from django.apps import AppConfig


class AutomationsConfig(AppConfig):
    name = "automations"

    def ready(self):
        from automations import doctor, events, reactions  # noqa: F401 - declares this floor's events
        from automations.actions import cards, outside, people  # noqa: F401 - declares what rules do
        from automations.actions.registry import actions
        from boards.definitions import inspectors
        from boards.wording import deeds

        reactions.listen()
        inspectors.append(doctor.examine)
        deeds.update({key: action.label for key, action in actions.items()})
