"""Asks the database whether everything holds that must hold; exits with 1 and says what does not."""

import sys

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Business
from automations.wholeness import ask


class Command(BaseCommand):
    """manage.py verify [business]."""

    help = "Check the tallies, places, counts, ledger and walls of one business or of all."

    def add_arguments(self, parser):
        """Take the business by its address; without one, all are looked at."""
        parser.add_argument("slug", nargs="?", help="the business's address; all of them when left out")

    def handle(self, *, slug, **options):
        """Ask every question of each business."""
        businesses = Business.objects.filter(slug=slug) if slug else Business.objects.order_by("slug")
        if slug and not businesses:
            raise CommandError(f"There is no business {slug}.")
        wrong = 0
        for business in businesses:
            found = ask(business)
            wrong += len(found)
            for line in found:
                self.stdout.write(f"{business.slug}: {line}")
            if not found:
                cards = business.cards.count()
                self.stdout.write(
                    f"{business.slug}: {cards} cards and {business.last_event} events, all as it should be"
                )
        if wrong:
            sys.exit(1)
