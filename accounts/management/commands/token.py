"""Make an API token from the shell."""

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.actor import Actor
from accounts.models import Business, Token
from accounts.policy import OWNER, SCOPES


class Command(BaseCommand):
    """Prints the secret of a new token, alone on its line, so that a script can keep it."""

    help = "Make an API token of a business and print its secret, once."

    def add_arguments(self, parser):
        parser.add_argument("business", help="the business's address, as in /demo/")
        parser.add_argument("--scopes", required=True, help=f"all, or some of {','.join(SCOPES)}")
        parser.add_argument("--name", default="From the shell", help="what the token is for")
        parser.add_argument("--email", help="the member in whose name it works; else the first owner")

    def handle(self, *, business, scopes, name, email, **options):
        business = self._business(business)
        scopes = list(SCOPES) if scopes == "all" else [scope.strip() for scope in scopes.split(",") if scope.strip()]
        maker = self._maker(business, email).user
        try:
            _, secret = Token.create(business, name=name, scopes=scopes, maker=maker, by=Actor.system(business))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(secret)

    def _business(self, slug):
        try:
            return Business.objects.get(slug=slug)
        except Business.DoesNotExist as error:
            raise CommandError(f"There is no business with the address {slug}.") from error

    def _maker(self, business, email):
        people = business.memberships.select_related("user")
        maker = people.filter(user__email__iexact=email) if email else people.filter(role=OWNER)
        if not maker:
            raise CommandError(f"{email} is no member of {business}." if email else f"{business} has no owner.")
        return maker.first()
