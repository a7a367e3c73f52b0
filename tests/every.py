"""The same check of many things, in one test: a test of its own for each would cost more than the check."""

import traceback

from django.core.cache import cache
from django.db import transaction


def every(things, check) -> None:
    """Check each thing, take back what that changed, and fail with all that do not hold, each by its name."""
    wrong = []
    for thing in things:
        cache.clear()  # no rate limit counts them together
        try:
            with transaction.atomic():
                check(thing)
                transaction.set_rollback(True)
        except Exception:
            wrong.append(f"{thing}: {traceback.format_exc()}")
    assert not wrong, f"{len(wrong)} of {len(things)}\n" + "\n".join(wrong)
