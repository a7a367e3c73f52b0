from django.apps import AppConfig


class BoardsConfig(AppConfig):
    name = "boards"

    def ready(self):
        from boards import events, reactions  # noqa: F401 - declares this floor's events

        reactions.listen()
