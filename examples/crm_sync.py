#!/usr/bin/env python3
"""Keep a CSV file and a workflow of Phasewise in step, both ways. Python 3.12, nothing to install; Linux or macOS.

    python examples/crm_sync.py --url http://localhost:8000 --token pw_… --workflow "Lead Funnel" crm.csv --every 30

The file has a header, and a line for each card:

    id      the card's external id, which no other card of the business has; an empty one is filled in, and a card that
            was made in Phasewise is PW-<its number>
    name    what the card is called
    phase   the name of its phase; one that does not exist is made
    due     2026-12-01, or 2026-12-01T09:30:00Z        (this column and the next two may be missing)
    value   in minor units: 195000 is 1,950.00
    notes   the card's description

Other columns and the order of the lines are kept. A line that goes away archives its card. A card that is archived or
deleted takes its line away; restored, it brings the line back with all its columns.

Changes of both sides come together field by field. Where both changed the same field, Phasewise wins, and what the file
said goes to crm.csv.conflicts. (An editor that saves an old copy over a newer file makes that copy your latest edit.)

It may be killed anywhere and started again:
- crm.csv.state keeps what both sides agreed on last. File, card and agreement together tell who changed what, so what it
  did itself is no news when the feed brings it back.
- What is to be sent is written down first, each request with its Idempotency-Key. Whoever finds such a plan sends all of
  it again: what was done is answered from its receipt, what was not is done now.
- The file is replaced before the agreement. Killed in between, both sides are found to be equal.
"""

import argparse
import csv
import fcntl
import http.client
import io
import json
import os
import secrets
import shutil
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, urlencode

WORKFLOWS, CARDS = "/workflows/v1/workflows", "/workflows/v1/cards"
FIELDS = {
    "name": "name",
    "phase": None,
    "due": "dueDate",
    "value": "value",
    "notes": "description",
}  # as a card calls them
PAUSES = (0.2, 0.5, 1, 2, 4, 8, 16, 32)  # seconds before a request is sent again
SOMEBODY_WAS_QUICKER = ("ALREADY_CHANGED", "CARD_ARCHIVED", "CARD_NOT_FOUND", "PHASE_NOT_FOUND")
PATIENCE = 5  # how often somebody may be quicker before a line waits for the next time
MANY = 20  # cards that are cheaper to read as a list


class Stop(Exception):
    """Somebody has to see to this."""


class Later(Exception):
    """It did not work out this time."""


class Refused(Exception):
    """Phasewise refuses one request, and says why with a stable code."""

    def __init__(self, code, says):
        super().__init__(says)
        self.code = code


class Phasewise:
    """The API, as one token sees it."""

    def __init__(self, url, token):
        self.url, self.token = url.rstrip("/"), token

    def __call__(self, method, path, body=None, key=None, match=None):
        """Send a request, again while nobody answers it; return the answer, or raise Refused, Stop or Later."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        headers |= {"Idempotency-Key": key} if key else {}
        headers |= {"If-Match": f'"{match}"'} if match else {}
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, content, headers, method=method)
        for pause in (*PAUSES, None):
            try:
                status, wait, answer = self._send(request)
            except (OSError, http.client.HTTPException, ValueError) as error:  # unreachable, cut off, not JSON
                status, wait, answer = 0, "", error
            if status == 200:
                return answer
            if 400 <= status < 500 and status != 429:
                raise self._refusal(status, answer)
            if pause is not None:
                time.sleep(int(wait) if wait.isdecimal() else pause)
        raise Later(f"{self.url} does not answer ({status or answer}).")

    def _send(self, request):
        try:
            answer = urllib.request.urlopen(request, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.headers.get("Retry-After", ""), json.load(answer)

    def _refusal(self, status, answer):
        code = answer["details"].get("applicationError", {}).get("code", "")
        if status == 401 or code == "PERMISSION_DENIED":
            return Stop(f"Phasewise does not let this token do it: {answer['message']}")
        return Refused(code, answer["message"])


class Sheet:
    """The CSV file: its lines in their order, with every column it has."""

    def __init__(self, path):
        self.path = path

    def read(self):
        """Read it and give ids where they are missing; raise Later when it makes no sense, as when it is half saved."""
        self.seen = self._bytes()
        self.is_changed = not self.seen
        try:
            text = self.seen.decode()
            self.mark = "\ufeff" if text.startswith("\ufeff") else ""  # as Excel saves it
            text = text.removeprefix("\ufeff") or ",".join(("id", *FIELDS))
            top = text.partition("\n")[0]
            self.style = {"delimiter": max(",;\t", key=top.count), "lineterminator": "\r\n" if "\r" in top else "\n"}
            self.header, *self.order = csv.reader(io.StringIO(text, newline=""), strict=True, **self.style)
        except (ValueError, csv.Error) as error:
            raise Later(f"{self.path} cannot be read: {error}.") from None
        self.at = {name.strip().lower(): index for index, name in enumerate(self.header)}
        if missing := {"id", "name", "phase"} - self.at.keys():
            raise Later(f"{self.path} lacks the columns {', '.join(sorted(missing))}.")
        self.columns = [name for name in FIELDS if name in self.at]
        self.lines = {}
        for line in filter(any, self.order):
            line += [""] * (len(self.header) - len(line))
            if not line[self.at["id"]].strip():
                line[self.at["id"]], self.is_changed = secrets.token_hex(4), True
            self.lines.setdefault(line[self.at["id"]].strip(), line)  # of twins, the first one counts

    def is_fresh(self):
        """Answer whether it was saved in this very second: there may be more to come."""
        return self.path.exists() and 0 <= time.time() - self.path.stat().st_mtime < 1

    def fields(self, row):
        """Return what a line says; None when there is no such line."""
        return {name: clean(self.lines[row][self.at[name]]) for name in self.columns} if row in self.lines else None

    def put(self, row, fields):
        """Make a line say this."""
        for name in self.columns:
            if clean(self.lines[row][self.at[name]]) != fields[name]:
                self.lines[row][self.at[name]], self.is_changed = fields[name], True

    def append(self, row, kept):
        """Add a line, with what it said when it went away."""
        self.lines[row] = [kept.get(name, "") for name in self.header]
        self.lines[row][self.at["id"]], self.is_changed = row, True
        self.order.append(self.lines[row])

    def remove(self, row):
        """Take a line away; return what it said."""
        gone = self.lines.pop(row)
        self.order, self.is_changed = [line for line in self.order if line is not gone], True
        return dict(zip(self.header, gone, strict=False))

    def write(self):
        """Replace the file; return False, and do nothing, when somebody saved it since it was read."""
        if not self.is_changed:
            return True
        text = io.StringIO(newline="")
        csv.writer(text, **self.style).writerows([self.header, *self.order])
        return replace(self.path, self.mark + text.getvalue(), when=lambda: self._bytes() == self.seen)

    def _bytes(self):
        return self.path.read_bytes() if self.path.exists() else b""


class Sync:
    """A file and a workflow, and what both agreed on last: {line: its card, the card's revision and fields}."""

    def __init__(self, api, path, workflow):
        self.api, self.sheet, self.said = api, Sheet(path), set()
        self.file, self.conflicts = (path.with_name(path.name + end) for end in (".state", ".conflicts"))
        self.lock = path.with_name(path.name + ".lock").open("w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # let go by itself, however this ends
        except OSError:
            raise Stop(f"Another process keeps {path} in step.") from None
        self.state = {"for": workflow, "name": secrets.token_hex(6), "workflow": "", "after": 0, "phases": {}}
        self.state |= {"columns": [], "agreed": {}, "attic": {}, "generation": 0, "plan": []}
        if self.file.exists():
            self.state = json.loads(self.file.read_bytes())
        if self.state["for"] != workflow:
            raise Stop(f"{path} belongs to the workflow {self.state['for']}. Remove {self.file} to begin anew.")

    def run(self):
        """Bring both in step: round after round, until one finds nothing more to send."""
        self.patience, self.taken = Counter(), set()
        self.find_workflow()
        while True:
            self.send()
            self.read()
            if self.merge(self.listen()) and not self.state["plan"]:
                return

    def find_workflow(self):
        """Take the workflow that was made for the file, or one of its name, or make it."""
        if not self.state["workflow"]:
            self.save()  # so that the key stays the same
            ours, made = f"csv:{self.state['for']}", None
            for one in self.api("GET", WORKFLOWS)["workflows"]:
                if one["name"] == self.state["for"] or one.get("externalId") == ours:
                    made = one
            path, body = f"{WORKFLOWS}/by-external-id/{quote(ours, safe='')}", {"workflow": {"name": self.state["for"]}}
            self.state["workflow"] = (made or self.api("PUT", path, body, f"{self.state['name']}-0"))["id"]
            self.save()
        self.here = f"{WORKFLOWS}/{self.state['workflow']}"

    def read(self):
        """Read the file; a line is only gone when it still is once the file stands still."""
        self.sheet.read()
        while self.state["agreed"].keys() - self.sheet.lines.keys() and self.sheet.is_fresh():
            time.sleep(0.1)
            self.sheet.read()
        if self.state["agreed"] and not self.sheet.seen:
            raise Later(f"{self.sheet.path} is empty or gone. Put it back, or remove {self.file} to begin anew.")

    def save(self):
        """Write down what must not be forgotten."""
        replace(self.file, json.dumps(self.state))

    # Sending ------------------------------------------------------------------------------------------

    def send(self):
        """Send what was planned, maybe not for the first time; what was done is agreed on."""
        for step in self.state["plan"]:
            row, then = step["row"], step["then"]
            try:
                answer = self.api(step["method"], step["path"], step["body"], step["key"], step["match"])
            except Refused as refusal:
                self.heed(row, refusal)
                continue
            if then is None:
                self.state["agreed"].pop(row, None)
            elif then:
                card = step["card"] or answer["id"]
                self.state["agreed"][row] = {"card": card, "revision": step["match"], "fields": then}
        if self.state["plan"]:
            self.state["plan"] = []
            self.save()

    def heed(self, row, refusal):
        """Look again where somebody was quicker; anything else waits for a person."""
        if refusal.code == "EXTERNAL_ID_TAKEN" and row not in self.taken:
            self.taken.add(row)
        elif refusal.code in SOMEBODY_WAS_QUICKER:
            self.patience[row] += 1
        else:
            self.give_up(row, refusal)

    def give_up(self, row, why):
        """Leave a line alone until the next time, and say why, once."""
        self.patience[row] = PATIENCE
        if (row, str(why)) not in self.said:
            self.said.add((row, str(why)))
            print(f"{row}: {why}", file=sys.stderr)

    # Listening ----------------------------------------------------------------------------------------

    def listen(self):
        """Read the feed since the last time; return {card: its info now, None when it is off the board} of all it names."""
        touched, after, more = set(), self.state["after"], True
        while more:
            page = self.api("GET", f"/events/v1/events?after={after}&limit=500&name=card.")
            here = (event for event in page["events"] if event["details"].get("workflow") == self.state["workflow"])
            touched |= {event["subject"]["id"] for event in here}
            after, more = page["next"], page["hasMore"]
        phases, cards = self.phases(), {}
        if phases != self.state["phases"]:
            cards = self.all_cards()  # in a phase with a new name each of them looks different
        elif len(touched) > MANY:
            cards = {card: info for card, info in self.all_cards().items() if card in touched}
        cards |= {card: self.card(card) for card in touched - cards.keys()}
        if any(info and info["phaseId"] not in phases for info in cards.values()):
            return self.listen()  # a phase was made in between
        self.next = self.state | {"after": after, "phases": phases, "columns": self.sheet.columns}
        self.next |= {"agreed": {}, "attic": dict(self.state["attic"]), "plan": []}
        return cards

    def phases(self):
        """Return {phase: [its name, the word that it was made for]}."""
        tree = self.api("GET", f"{self.here}?cardsPerPhase=0")["workflow"]
        found = [*tree["phasesList"]["phases"], tree["winPhase"], *tree["cancelledPhasesList"]["phases"]]
        infos, ours = (phase["info"] for phase in found), f"{self.state['workflow']}/"
        return {info["id"]: [info["name"], info.get("externalId", "").removeprefix(ours)] for info in infos}

    def all_cards(self, **wanted):
        """Return the infos of the cards on the board, or of those that are wanted, by id."""
        found, offset, total = {}, 0, 1
        while offset < total:
            query = urlencode({"limit": 1000, "offset": offset, "sort": "createdDate:asc", **wanted})
            page = self.api("GET", f"{self.here}/cards?{query}")
            found |= {card["info"]["id"]: card["info"] for card in page["cards"]}
            offset, total = offset + 1000, page["pagination"]["total"]
        return found

    def card(self, card):
        """Return a card's info; None when it was archived or deleted."""
        try:
            return self.api("GET", f"{CARDS}/{card}").get("card", {}).get("info")
        except Refused:
            return None

    # Merging ------------------------------------------------------------------------------------------

    def merge(self, news):
        """Compare lines, cards and agreement: change the file, plan what to send. False: the file was saved meanwhile."""
        phases = self.next["phases"].items()
        self.phase_of = {word: phase for phase, (_, word) in phases} | {name: phase for phase, (name, _) in phases}
        self.lost, before = [], self.state["agreed"]
        cards = self.cards(news)
        for row in dict.fromkeys([*self.sheet.lines, *before, *cards]):
            known, line = before.get(row), self.sheet.fields(row)
            card = cards.get(row, known)
            if card:
                self.next["agreed"][row] = card
            try:
                if card and line:
                    self.join(row, line, card, known)
                elif card:
                    self.without_line(row, card, known)
                elif line and known:
                    self.without_card(row, line, known)
                elif line:
                    self.create(row, line)
            except ValueError as error:
                self.give_up(row, error)
        return self.keep()

    def cards(self, news):
        """Return the cards there is news of, by the id of their line; None for one that is off the board."""
        row_of = {known["card"]: row for row, known in self.state["agreed"].items()}
        found = {row_of[card]: None for card in news if card in row_of}
        for card, info in news.items():
            if info:
                row = info.get("externalId") or row_of.get(card) or f"PW-{info['number']}"
                found[row] = {"card": card, "revision": info["revision"], "fields": self.fields(info)}
                if "externalId" not in info:
                    self.plan(row, "PATCH", f"{CARDS}/{card}", {"cardInfo": {"externalId": row}}, found[row])
        return found

    def fields(self, info):
        """Return what a card says, as a line says it."""
        said = {name: clean(str(info.get(field, ""))) for name, field in FIELDS.items() if field}
        return said | {"phase": self.next["phases"][info["phaseId"]][0]}

    def join(self, row, line, card, known):
        """Bring line and card together, field by field."""
        merged, path = dict(card["fields"]), f"{CARDS}/{card['card']}"
        if line["phase"] in self.phase_of:  # which knows a phase under its first name, too
            line["phase"] = self.next["phases"][self.phase_of[line["phase"]]][0]
        line["phase"] = line["phase"] or merged["phase"]
        for name, theirs in card["fields"].items():
            base = known["fields"][name] if known and name in self.state["columns"] else None  # None: never agreed on
            mine = line.get(name, theirs)
            if theirs == base:
                merged[name] = mine
            elif mine not in (theirs, base or ""):
                self.lose(row, name, theirs, mine)
        self.sheet.put(row, merged)
        changed = {name: text for name, text in merged.items() if text != card["fields"][name]}
        phase = self.phase(changed.pop("phase")) if "phase" in changed else None
        if changed:  # first, for the next phase may ask for it; the move then is for the next round
            self.plan(row, "PATCH", path, {"cardInfo": wire(changed)}, card, card["fields"] | changed)
        elif phase:
            self.plan(row, "POST", f"{path}/move", {"newPhaseId": phase}, card, merged)

    def without_line(self, row, card, known):
        """Archive the card whose line was removed; give a line to one that is new or was changed meanwhile."""
        if known and card["fields"] == known["fields"]:
            self.plan(row, "POST", f"{CARDS}/{card['card']}/archive", None, card, None)
            return
        self.sheet.append(row, self.next["attic"].pop(row, {}))
        self.sheet.put(row, card["fields"])
        if known:
            self.lose(row, "line", "its card, which was changed meanwhile", "removed")

    def without_card(self, row, line, known):
        """Take away the line whose card left the board."""
        if any(text != known["fields"][name] for name, text in line.items()):
            self.lose(row, "line", "removed with its card", json.dumps(line, ensure_ascii=False))
        self.next["attic"][row] = self.sheet.remove(row)

    def create(self, row, line):
        """Make the card of a new line, or restore the one that was archived under its id."""
        if not line["phase"]:
            self.give_up(row, "A new line needs a phase.")
            return
        phase, then = self.phase(line["phase"]), dict.fromkeys(FIELDS, "") | line
        if phase and row in self.taken:
            archived = self.all_cards(externalId=row, fetchArchived="true")
            for card, info in archived.items():
                old, then = {"card": card, "revision": info["revision"]}, self.fields(info) | {"phase": line["phase"]}
                self.plan(row, "POST", f"{CARDS}/{card}/restore", {"newPhaseId": phase}, old, then)
            if not archived:
                self.give_up(row, "Another card of the business has this id.")
        elif phase:
            body = {"card": {"externalId": row, "source": "CRM", **wire(then)}}
            self.plan(row, "POST", f"{self.here}/phases/{phase}/cards", body, None, then)

    def phase(self, word):
        """Return the id of the phase that a line names; plan to make it where there is none, and return None."""
        row = f"phase {word}"
        if word not in self.phase_of and all(step["row"] != row for step in self.next["plan"]):
            path = f"{self.here}/phases/by-external-id/{quote(f'{self.state["workflow"]}/{word}', safe='')}"
            self.plan(row, "PUT", path, {"phase": {"name": word}})
        return self.phase_of.get(word)

    def plan(self, row, method, path, body, card=None, then=()):
        """Plan a request about a line. card: as it was seen; then: what is agreed on once it is done, None: nothing."""
        if self.patience[row] < PATIENCE:
            card = card or {"card": None, "revision": None}
            step = {"row": row, "method": method, "path": path, "body": body, "then": then}
            self.next["plan"].append(step | {"card": card["card"], "match": card["revision"]})

    def lose(self, row, name, kept, lost):
        """Note what the file said and Phasewise overrules."""
        self.lost.append([datetime.now().astimezone().isoformat(timespec="seconds"), row, name, kept, lost])

    def keep(self):
        """Write down all that was found out, each thing before the next one counts on it."""
        if self.lost:
            with self.conflicts.open("a", newline="") as file:
                csv.writer(file).writerows(self.lost)
                file.flush()
                os.fsync(file.fileno())
        if self.next["attic"] != self.state["attic"]:
            self.state["attic"] |= self.next["attic"]  # the only place where such a line's other columns will be
            self.save()
        if not self.sheet.write():
            return False
        generation = self.next["generation"] = self.state["generation"] + bool(self.next["plan"])
        for index, step in enumerate(self.next["plan"]):
            step["key"] = f"{self.state['name']}-{generation}-{index}"
        if self.next != self.state:
            self.state = self.next
            self.save()
        return True


def clean(text):
    """Return a text as both sides would write it."""
    return text.replace("\r\n", "\n").strip()


def wire(fields):
    """Return fields of a line as the API takes them, where null empties; raise ValueError for a value it cannot be."""
    told = {field: fields[name] or None for name, field in FIELDS.items() if field and name in fields}
    if told.get("value"):
        if not told["value"].isdecimal():
            raise ValueError(f"The value {told['value']} is no whole number.")
        told["value"] = int(told["value"])
    return told


def replace(path, text, when=lambda: True):
    """Put a text in place of a file, all of it or nothing; return False, and do nothing, when it must not be."""
    new = path.with_name(path.name + ".new")
    with new.open("w", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if path.exists():
        shutil.copymode(path, new)
    if not when():
        return False
    os.replace(new, path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
    return True


def main():
    """Keep both in step, once or for as long as it runs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--url", required=True)
    parser.add_argument("--token", default=os.environ.get("PHASEWISE_TOKEN"), help="or PHASEWISE_TOKEN")
    parser.add_argument("--workflow", required=True)
    often = parser.add_mutually_exclusive_group()
    often.add_argument("--once", action="store_true", help="which it does by itself")
    often.add_argument("--every", type=float, metavar="SECONDS")
    asked = parser.parse_args()
    try:
        sync = Sync(Phasewise(asked.url, asked.token), asked.file.resolve(), asked.workflow)
        while True:
            try:
                sync.run()
            except Later as reason:
                if not asked.every:
                    raise
                print(reason, file=sys.stderr)
            if not asked.every:
                return
            time.sleep(asked.every)
    except (Stop, Later, Refused) as reason:
        sys.exit(str(reason))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
