"""Makes the demo business once and says how to sign in; asked again it only says it again."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.models import Business
from automations.demo.story import ADMINISTRATOR, PEOPLE
from automations.demo.telling import tell

PASSWORD = "phasewise-demo"  # noqa: S105 - known to all, so only for a trial on one's own machine


class Command(BaseCommand):
    """manage.py demo [--address URL] [--password …]."""

    help = "Make the demo business Brightside Joinery, unless it is there, and print how to sign in."

    def add_arguments(self, parser):
        """Take the address to print, and the password where the well-known one is refused."""
        parser.add_argument("--address", default="http://127.0.0.1:8000", help="where Phasewise runs")
        parser.add_argument("--password", default="", help="of everybody in the demo; needed unless EMBEDDED is on")

    def handle(self, *, address, password, **options):
        """Make and say."""
        if not password and not settings.EMBEDDED:
            raise CommandError(
                "The demo's password is known to everybody, so it is refused outside EMBEDDED mode. Choose one with --password."
            )
        password = password or PASSWORD
        if not Business.objects.filter(slug="demo").exists():
            tell(password)
        address = address.rstrip("/")
        self.stdout.write(f"\n  The demo business Brightside Joinery: {address}/demo/\n")
        for person in (*PEOPLE, ADMINISTRATOR):
            self.stdout.write(f"    {person.name:<13} {person.role:<23} {person.email:<26} {password}")
        self.stdout.write(f"\n  {ADMINISTRATOR.name} works in {address}/admin/\n")
