"""The processes that do what happens by itself, as far as they were heard of."""

import os
import socket
from datetime import timedelta

from django.db import models
from django.db.models.functions import Now

from accounts.verbs import writing

TOO_QUIET = timedelta(minutes=3)  # it is heard of every minute
FORGOTTEN = timedelta(days=1)


class WorkerQuerySet(models.QuerySet):
    """Reads workers."""

    def with_silence(self):
        """Return them with how long each was not heard of, the one heard of last first."""
        silence = models.ExpressionWrapper(Now() - models.F("seen_at"), models.DurationField())
        return self.annotate(silence=silence).order_by("-seen_at")


class Worker(models.Model):
    """A worker's process; it is heard of when it sweeps, by the database's clock."""

    name = models.CharField("machine and process", max_length=200, primary_key=True)
    began_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())

    objects = WorkerQuerySet.as_manager()

    class Meta:
        ordering = ["-seen_at"]

    def __str__(self):
        return self.name

    @classmethod
    def sign_in(cls) -> None:
        """Note that this process is at work, and forget those that have long ended."""
        name = f"{socket.gethostname()[:180]} {os.getpid()}"
        with writing():
            cls.objects.update_or_create(name=name, defaults={"seen_at": Now()})
            cls.objects.filter(seen_at__lt=Now() - FORGOTTEN).delete()

    @classmethod
    def silence(cls) -> timedelta | None:
        """Return how long no worker was heard of; None when none ever was."""
        last = cls.objects.with_silence().first()
        return last.silence if last else None
