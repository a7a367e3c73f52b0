"""What a business arranges with the world outside: its letters, whom it tells, from whom it hears."""

from django.db import models

from accounts.verbs import refuse_changed_since, refuse_unknown


class Arrangement(models.Model):
    """A row that is checked as a whole, whichever of its FIELDS change."""

    FIELDS: tuple[str, ...] = ()

    class Meta:
        abstract = True

    def _change(self, changes: dict, revision: int | None = None) -> list[str]:
        """Take changes under the lock; return in words what is different now. Raises ValidationError, Stale."""
        refuse_unknown(changes, self.FIELDS)
        self._lock()
        refuse_changed_since(self, revision)
        before = {key: getattr(self, key) for key in changes}
        for key, value in changes.items():
            setattr(self, key, value)
        self._check()
        changed = [key for key in changes if getattr(self, key) != before[key]]
        if changed:
            self.save(update_fields=changed)
        return [self._meta.get_field(key).verbose_name for key in changed]

    def _lock(self) -> None:
        self.refresh_from_db(from_queryset=type(self).objects.select_for_update(of=("self",)))

    def _check(self) -> None:
        """Bring the fields into shape; raises ValidationError for what cannot be."""
        raise NotImplementedError
