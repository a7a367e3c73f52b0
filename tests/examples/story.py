"""One story in which file and workflow change in every way, and what must have come of it however often it was interrupted.

python -m tests.examples.story effects                              kill the script before each of its effects (minutes)
python -m tests.examples.story asked-kill|done-kill|asked-cut|done-cut    cut each request off, before or after it is done
"""

import csv
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests import machines
from tests.examples.site import Site, Wire

SCRIPT = "examples/crm_sync.py"
BEFORE = """\
id,name,phase,owner,due,value,notes
1,Ines Moreau,New,Maren,2026-12-01,100,
2,Jonas Weber,New,Priya,,,
3,Kim Lang,New,Maren,,,
4,Lea Roth,Contacted,Priya,,,
5,Mo Haddad,Contacted,Maren,2026-12-24,,
6,Nora Vik,New,Priya,,,
7,Otto Beck,New,Maren,,,
8,Pia Sand,New,Priya,,,
9,Quentin Roy,New,Maren,,,
10,Rosa Blum,Contacted,Priya,,,
11,Sven Dahl,New,Maren,,,
"""
AFTER = """\
id,name,phase,owner,due,value,notes
1,Ines Moreau-Hale,New,Maren,2026-12-01,100,Likes oak
2,Jonas Weber,Contacted,Priya,,,
4,Lea Roth-Klein,Offer,Priya,2026-12-08,195000,"Two lines
of notes"
5,Mo Haddad,Win,Maren,2026-12-31,,
10,Rosa from Phasewise,Contacted,Priya,,,
11,Sven Dahl,New,Anna,,,
20,Tilda New,Offer,Anna,,,
9,Quentin Roy,New,Maren,,,
PW-#,Walk-in,Contacted,,2027-01-15,,
"""
# What the script itself may have done, once each, and nothing else.
DEEDS = Counter(
    [f"created {line.split(',')[1]}" for line in BEFORE.splitlines()[1:]]
    + ["created Tilda New", "archived Kim Lang", "restored Quentin Roy"]
    + ["moved Jonas Weber from New to Contacted", "moved Lea Roth-Klein from Contacted to Offer"]
    + ["updated Ines Moreau-Hale", "updated Lea Roth-Klein", "updated Walk-in"]
)


class Desk:
    """Somebody's folder with a CSV file, and the workflow it is kept in step with."""

    def __init__(self, site, folder, url=""):
        self.token, self.people = site.business()
        self.url, self.file = url or site.url, Path(tempfile.mkdtemp(dir=folder)) / "crm.csv"

    def write(self, text):
        """Save the file, a while ago."""
        self.file.write_text(text)
        os.utime(self.file, (time.time() - 60,) * 2)

    def rows(self):
        """Return the lines of the file by id."""
        with self.file.open(newline="") as file:
            return {row["id"]: row for row in csv.DictReader(file)}

    def start(self, *options, fatal=0):
        """Start the script; it dies before its effect number `fatal`."""
        command = [
            sys.executable,
            *(["-m", "tests.examples.fatal", str(fatal)] if fatal else []),
            SCRIPT,
            str(self.file),
        ]
        command += ["--url", self.url, "--token", self.token, "--workflow", "Lead Funnel", *options]
        return subprocess.Popen(command, cwd=machines.HERE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def sync(self, *options, fatal=0):
        """Run the script; return whether it lived, and fail if it complained."""
        process = self.start(*options, fatal=fatal)
        said, _ = process.communicate(timeout=120)
        assert process.returncode in (0, -signal.SIGKILL), said
        assert not said, said
        return process.returncode == 0

    @property
    def workflow(self):
        """Return the workflow's id."""
        return self.people.workflow("Lead Funnel")

    def card(self, row, **wanted):
        """Return the path of the card of a line."""
        return f"/workflows/v1/cards/{self.people.card(self.workflow, row, **wanted)['id']}"

    def assert_in_step(self):
        """Check that file and workflow say the same, that no card is there twice and none without a line."""
        phases = {phase: name for name, phase in self.people.phases(self.workflow).items()}
        cards = self.people.cards(self.workflow)
        said = {
            card["externalId"]: {
                "name": card["name"],
                "phase": phases[card["phaseId"]],
                "due": card.get("dueDate", ""),
                "value": str(card.get("value", "")),
                "notes": card.get("description", ""),
            }
            for card in cards
        }
        assert len(said) == len(cards)
        rows = {key: {name: row.get(name, "") for name in said[key]} for key, row in self.rows().items() if key in said}
        assert rows == said
        assert rows.keys() == self.rows().keys()

    def deeds(self):
        """Return how often the script did what, in words."""
        told = Counter()
        for event in self.people.events(self.workflow):
            if event["actor"]["name"].startswith("CRM"):
                words = f"{event['name'].removeprefix('card.')} {event['subject']['name']}"
                if event["name"] == "card.moved":
                    words += f" from {event['details']['before']['name']} to {event['details']['after']['name']}"
                told[words] += 1
        return told


def begin(desk, fatal=0):
    """Bring both sides in step, with one card in the archive; the script is killed once, if `fatal`. Answer whether."""
    desk.write(BEFORE)
    killed = not desk.sync(fatal=fatal)
    assert not killed or desk.sync()
    desk.people("POST", f"{desk.card('9')}/archive")
    assert desk.sync()
    return killed


def change(desk):
    """Let both sides change in every way; number 9 comes back from the file, number 10 is changed on both sides."""
    people, phases = desk.people, desk.people.phases(desk.workflow)
    people("PATCH", desk.card("1"), {"cardInfo": {"description": "Likes oak"}})
    people("PATCH", desk.card("5"), {"cardInfo": {"dueDate": "2026-12-31"}})
    people("POST", f"{desk.card('5')}/move", {"newPhaseId": phases["Win"]})
    people("POST", f"{desk.card('6')}/archive")
    people("DELETE", desk.card("7"))
    people("POST", f"{desk.card('8')}/archive")
    people("POST", f"{desk.card('11')}/move", {"newPhaseId": phases["Contacted"]})
    people("POST", f"{desk.card('11')}/move", {"newPhaseId": phases["New"]})
    people("PATCH", desk.card("10"), {"cardInfo": {"name": "Rosa from Phasewise"}})
    walk_in = {"card": {"name": "Walk-in", "dueDate": "2027-01-15"}}
    people("POST", f"/workflows/v1/workflows/{desk.workflow}/phases/{phases['Contacted']}/cards", walk_in)
    lines = dict(line.split(",", 1) for line in desk.file.read_text().splitlines())
    lines["1"] = lines["1"].replace("Moreau", "Moreau-Hale")
    lines["2"] = lines["2"].replace("New", "Contacted")
    del lines["3"]
    lines["4"] = 'Lea Roth-Klein,Offer,Priya,2026-12-08,195000,"Two lines\nof notes"'
    lines["8"] = lines["8"].replace("Pia", "Pia from the file")
    lines["10"] = lines["10"].replace("Rosa Blum", "Rosa from the file")
    lines["11"] = lines["11"].replace("Maren", "Anna")
    lines["20"] = "Tilda New,Offer,Anna,,,"
    lines["9"] = "Quentin Roy,New,Maren,,,"
    desk.write("".join(f"{key},{rest}\n" for key, rest in lines.items()))


def assert_ended_well(desk):
    """Check that everything came of it that had to, once."""
    desk.assert_in_step()
    number = next(key for key in desk.rows() if key.startswith("PW-"))
    assert desk.file.read_text() == AFTER.replace("PW-#", number)
    assert desk.deeds() == DEEDS
    lost = desk.file.with_name("crm.csv.conflicts").read_text()
    assert "Rosa from the file" in lost
    assert "Pia from the file" in lost
    state = desk.file.with_name("crm.csv.state").read_bytes()
    assert desk.sync()
    assert desk.file.with_name("crm.csv.state").read_bytes() == state, "it was not at rest"


def kill_before_each_effect(site, folder):
    """Kill the script before its n-th effect, for every n until it lives, when it begins and when all has changed."""
    for number in itertools.count(1):
        desk = Desk(site, folder)
        kills = begin(desk, fatal=number)
        change(desk)
        if not desk.sync(fatal=number):
            kills += 1
            assert desk.sync()
        assert_ended_well(desk)
        yield kills
        if not kills:
            return


def end_each_request(site, folder, moment, kill):
    """Cut the n-th request off at a moment, for every n until there are no more; kill the script in it, or leave it be."""
    for number in itertools.count(1):
        with Wire(site.port) as wire:
            desk = Desk(site, folder, wire.url)
            begin(desk)
            change(desk)
            running = []
            end = (lambda running=running: running[0].kill()) if kill else (lambda: None)
            wire.when(moment, lambda request, count, number=number: count == number, end)
            running.append(desk.start())
            said, _ = running[0].communicate(timeout=120)
            assert running[0].returncode == (-signal.SIGKILL if kill and wire.ended else 0), said
            assert desk.sync()
            assert_ended_well(desk)
        yield len(wire.ended)
        if not wire.ended:
            return


def main(deed):
    """Interrupt it in one way, at every point, and count."""
    with tempfile.TemporaryDirectory() as folder, Site(folder, os.environ.get("DATABASE_URL", "")) as site:
        if deed == "effects":
            points = kill_before_each_effect(site, folder)
        else:
            moment, kill = deed.split("-")
            points = end_each_request(site, folder, moment, kill == "kill")
        print(deed, sum(points), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
