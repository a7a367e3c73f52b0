"""Whose request it is: the session and its person, which every request asks for, by SQL that is made once."""

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import User
from accounts.statements import Blank, Prepared

SESSION = Prepared(lambda: Session.objects.filter(session_key=Blank("key"), expire_date__gt=Blank("now")))
PERSON = Prepared(lambda: User.objects.filter(pk=Blank("pk")))


class SessionStore(db.SessionStore):
    """Django's sessions in the database."""

    def _get_session_from_db(self):
        session = SESSION.first(key=self.session_key, now=timezone.now())
        if session is None:
            self._session_key = None
        return session


class Doorkeeper(AuthenticationBackend):
    """allauth's way of signing in, and of knowing who has."""

    def get_user(self, user_id):
        """Return the person of a session, or None when they may come in no more."""
        person = PERSON.first(pk=user_id)
        return person if person and self.user_can_authenticate(person) else None
