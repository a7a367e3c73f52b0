"""Deeds at the same moment, each in a thread of its own: for tests of what locks and constraints promise."""

import threading

from django.core.exceptions import ValidationError
from django.db import connections


def at_once(*deeds):
    """Do all deeds at the same moment, each in a thread with a connection of its own; return what each gave or raised."""
    answers, start = [None] * len(deeds), threading.Barrier(len(deeds))

    def run(i, deed):
        try:
            start.wait(timeout=30)
            answers[i] = deed()
        except Exception as error:
            answers[i] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive(), "a deed waits for ever"
    return answers


def bugs(answers):
    """Return what went wrong, apart from refusals in words."""
    return [answer for answer in answers if isinstance(answer, Exception) and not isinstance(answer, ValidationError)]
