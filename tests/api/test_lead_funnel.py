"""The lead funnel as an app of the wire's own ecosystem sets it up and keeps it in step: only host and token are ours.

The commands are facts of the interface. They are run by bash and curl over a real socket; ids that an answer brought take
the place of those that stand in them.
"""

import json
import re

import pytest

from tests.api.serving import bash

pytestmark = pytest.mark.django_db  # the server has a database of its own, of the kind that this run is about

CREATE_WORKFLOW = """\
curl -X POST \\
  'https://www.wixapis.com/workflows/v1/workflows' \\
  -H 'Authorization: <AUTH>' \\
  -H 'Content-Type: application/json' \\
  -d '{
  "workflow": {
    "name": "Lead Funnel",
    "description": "Shows where contacts are in the lead funnel."
  }
}'
"""
CREATE_PHASE = """\
curl -X POST \\
  'https://www.wixapis.com/workflows/v1/workflows/f4d11ab3-37ec-466b-affe-192689e5f40a/phases' \\
  -H 'Authorization: <AUTH>' \\
  -H 'Content-Type: application/json' \\
  -d '{
  "phase": {
    "name": "New Lead"
  }
}'
"""
GET_WORKFLOW = """\
curl -X GET \\
  'https://www.wixapis.com/workflows/v1/workflows/f4d11ab3-37ec-466b-affe-192689e5f40a' \\
  -H 'Authorization: <AUTH>'
"""
CREATE_CARD = """\
curl -X POST \\
  'https://www.wixapis.com/workflows/v1/workflows/f4d11ab3-37ec-466b-affe-192689e5f40a/phases/da2d0644-4fd7-46bb-8dbb-d7f4ccdd1180/cards' \\
  -H 'Authorization: <AUTH>' \\
  -H 'Content-Type: application/json' \\
  -d '{
  "card": {
    "name": "Ines Brunet",
    "primaryAttachment": {
      "contactId": "73904dbd-94ca-4ac1-a593-ef0627673e59"
    },
    "source": "My CRM"
  }
}'
"""
# The calls that the guide names without a command, in the same style; a contact, a move and the archive as the reference has them.
CREATE_CONTACT = """\
curl -X POST \\
  'https://www.wixapis.com/contacts/v4/contacts' \\
  -H 'Authorization: <AUTH>' \\
  -H 'Content-Type: application/json' \\
  -d '{
  "info": {
    "name": {
      "first": "Ines",
      "last": "Brunet"
    },
    "emails": {
      "items": [
        {
          "email": "ines.brunet@example.com"
        }
      ]
    }
  }
}'
"""
MOVE_CARD = """\
curl -X POST \\
  'https://www.wixapis.com/workflows/v1/cards/c19a12d4-b3a1-4f7a-a7f5-4d6b5aa9c1f2/move' \\
  -H 'Authorization: <AUTH>' \\
  -H 'Content-Type: application/json' \\
  -d '{
  "newPhaseId": "da2d0644-4fd7-46bb-8dbb-d7f4ccdd1180"
}'
"""
ARCHIVE_CARD = """\
curl -X POST \\
  'https://www.wixapis.com/workflows/v1/cards/c19a12d4-b3a1-4f7a-a7f5-4d6b5aa9c1f2/archive' \\
  -H 'Authorization: <AUTH>'
"""

WORKFLOW = "f4d11ab3-37ec-466b-affe-192689e5f40a"
PHASE = "da2d0644-4fd7-46bb-8dbb-d7f4ccdd1180"
CONTACT = "73904dbd-94ca-4ac1-a593-ef0627673e59"
CARD = "c19a12d4-b3a1-4f7a-a7f5-4d6b5aa9c1f2"
PHASES = ["New Lead", "Contacted", "Qualified", "Proposal Sent", "Negotiating"]


class App:
    """The app that follows the guide: it sends commands and captures what they answer."""

    def __init__(self, address, authorization, path):
        self.same = {"https://www.wixapis.com": address, "<AUTH>": authorization, "/workflows/v1/": path}

    def send(self, command, words=None):
        """Send a command with other words in the place of some of its own; return the answer, a 200 in JSON."""
        for word, ours in {**self.same, **(words or {})}.items():
            command = command.replace(word, ours)
        told = bash(command.rstrip() + " \\\n  --silent --show-error --write-out '\\n%{http_code} %{content_type}'")
        answer, _, status = told.rpartition("\n")
        assert status == "200 application/json", f"{command}\n{told}"
        return json.loads(answer)


def column(page, phase):
    """Return the part of a board's page that shows a phase."""
    return re.search(rf'<section class="column[^>]+id="phase-{phase}".*?</section>', page, re.DOTALL)[0]


@pytest.mark.parametrize("path", ["/workflows/v1/", "/workflows/api/v1/"])
@pytest.mark.parametrize("authorization", ["{token}", "Bearer {token}"], ids=["raw", "bearer"])
def test_a_lead_funnel_is_set_up_and_kept_in_step(site, authorization, path):
    business, token = site.found()
    app = App(site.address, authorization.format(token=token), path)

    # Part 1: the workflow as the other system has it
    workflow = app.send(CREATE_WORKFLOW)
    assert list(workflow) == ["id"]
    here = {WORKFLOW: workflow["id"]}
    phases = {name: app.send(CREATE_PHASE, words={**here, "New Lead": name})["id"] for name in PHASES}

    laid_out = app.send(GET_WORKFLOW, words=here)["workflow"]
    assert laid_out["info"]["description"] == "Shows where contacts are in the lead funnel."
    assert [phase["info"]["name"] for phase in laid_out["phasesList"]["phases"]] == PHASES
    assert laid_out["winPhase"]["info"]["name"] == "Win"
    win = laid_out["winPhase"]["info"]["id"]

    def create_card(name, phase):
        words = {"Ines": name, "ines": name.lower()}
        contact = app.send(CREATE_CONTACT, words=words)["contact"]["id"]
        return app.send(CREATE_CARD, words={**here, PHASE: phase, CONTACT: contact, "Ines": name})["id"]

    ines = create_card("Ines", phases["New Lead"])
    amir = create_card("Amir", phases["Proposal Sent"])
    zoe = create_card("Zoe", win)

    # Part 2: what changes over there is changed here
    noor = create_card("Noor", phases["New Lead"])
    assert app.send(MOVE_CARD, words={CARD: ines, PHASE: phases["Contacted"]}) == {}
    assert app.send(MOVE_CARD, words={CARD: amir, PHASE: win}) == {}
    assert app.send(ARCHIVE_CARD, words={CARD: noor}) == {}

    # The people of the business look at it
    kept = app.send(GET_WORKFLOW, words=here)["workflow"]
    cards = [[card["info"]["id"] for card in phase["cardsList"]["cards"]] for phase in kept["phasesList"]["phases"]]
    assert cards == [[], [ines], [], [], []]
    assert [card["info"]["id"] for card in kept["winPhase"]["cardsList"]["cards"]] == [amir, zoe]
    assert {card["info"]["source"] for card in kept["winPhase"]["cardsList"]["cards"]} == {"My CRM"}
    page = site.visit(business).open(f"{site.address}/{business}/boards/lead-funnel/").read().decode()
    assert re.findall(r'<h2 id="name-[^"]+">([^<]+)</h2>', page) == [*PHASES, "Win"]
    assert "Ines Brunet" in column(page, phases["Contacted"])
    assert "Amir Brunet" in column(page, win)
    assert "Zoe Brunet" in column(page, win)
    assert "Noor" not in page
