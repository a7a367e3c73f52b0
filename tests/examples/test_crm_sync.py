"""The example that keeps a CSV file and a workflow in step: both ways, and whatever interrupts it, each thing once."""

import ast
import fcntl
import json
import random
import re
import signal
import sys
import threading
import time

import pytest

from tests import machines
from tests.examples.site import Site, Wire
from tests.examples.story import SCRIPT, Desk, assert_ended_well, begin, change

pytestmark = pytest.mark.static  # has a database of its own

FEW = "id,name,phase,owner,value\n1,Ines,New,Maren,100\n2,Jonas,New,Priya,\n3,Kim,Contacted,Maren,\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A server of its own."""
    with Site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def wire(site):
    """A wire to it that can be cut."""
    with Wire(site.port) as wire:
        yield wire


@pytest.fixture
def desk(site, wire, tmp_path):
    """A file and a business in which nothing happened yet."""
    return Desk(site, tmp_path, wire.url)


@pytest.fixture
def few(desk):
    """A desk with three lines that are in step."""
    desk.write(FEW)
    desk.sync()
    return desk


def answer(status, code="", says="", *headers):
    """Return the bytes of a refusal."""
    body = json.dumps({"message": says, "details": {"applicationError": {"code": code}}})
    return "\r\n".join([f"HTTP/1.1 {status} No", "Content-Type: application/json", *headers, "", body]).encode()


def key_of(request):
    """Return the Idempotency-Key of a request."""
    return re.search(r"^Idempotency-Key: (.+)$", request, re.MULTILINE | re.IGNORECASE)[1].strip()


def complaint(desk, *options):
    """Run the script; return its exit code and what it said."""
    process = desk.start(*options)
    said, _ = process.communicate(timeout=60)
    return process.returncode, said


def wait_for(question):
    """Wait until the answer is yes."""
    patience = time.monotonic() + 20
    while not question():
        assert time.monotonic() < patience, "it did not happen"
        time.sleep(0.05)


# Both ways --------------------------------------------------------------------------------------------


def test_all_that_changes_on_both_sides_comes_together_and_is_done_once(desk):
    begin(desk)
    change(desk)
    desk.sync()
    assert_ended_well(desk)


def test_without_a_file_the_workflow_becomes_one(few):
    for end in ("", ".state"):
        few.file.with_name(few.file.name + end).unlink()
    few.sync()
    assert few.file.read_text().splitlines() == [
        "id,name,phase,due,value,notes",
        "1,Ines,New,,100,",
        "2,Jonas,New,,,",
        "3,Kim,Contacted,,,",
    ]
    assert sum(few.deeds().values()) == 3


def test_a_workflow_that_is_there_already_gives_each_of_its_cards_a_line(desk):
    workflow = desk.people("POST", "/workflows/v1/workflows", {"workflow": {"name": "Lead Funnel"}})["id"]
    phase = desk.people("POST", f"/workflows/v1/workflows/{workflow}/phases", {"phase": {"name": "New"}})["id"]
    cards = [{"phaseId": phase, "card": {"name": f"Lead {number}"}} for number in range(30)]
    desk.people("POST", "/workflows/v1/bulk/cards/create", {"cards": cards})
    desk.sync()
    assert [row["name"] for row in desk.rows().values()] == [f"Lead {number}" for number in range(30)]
    desk.assert_in_step()

    win = desk.people.phases(workflow)["Win"]
    moves = [{"id": card["id"], "newPhaseId": win} for card in desk.people.cards(workflow)]
    desk.people("POST", "/workflows/v1/bulk/cards/move", {"cards": moves})
    desk.sync()
    assert {row["phase"] for row in desk.rows().values()} == {"Win"}
    desk.assert_in_step()
    assert desk.people.workflow("Lead Funnel") == workflow


def test_a_line_without_an_id_gets_one_and_a_restored_card_brings_back_all_its_columns(few):
    few.write(few.file.read_text() + ",Lea,Won,Anna,\n")
    few.people("POST", f"{few.card('2')}/archive")
    few.sync()
    assert "2" not in few.rows()
    lea = next(row for row in few.rows().values() if row["name"] == "Lea")
    assert few.people.card(few.workflow, lea["id"])["name"] == "Lea"

    phase = few.people.phases(few.workflow)["Won"]
    few.people("POST", f"{few.card('2', fetchArchived='true')}/restore", {"newPhaseId": phase})
    few.sync()
    assert few.rows()["2"] == {"id": "2", "name": "Jonas", "phase": "Won", "owner": "Priya", "value": ""}
    few.assert_in_step()


def test_a_line_that_goes_away_while_its_card_changes_comes_back(few):
    few.people("PATCH", few.card("1"), {"cardInfo": {"value": 200}})
    few.write("".join(line for line in FEW.splitlines(keepends=True) if not line.startswith("1,")))
    few.sync()
    assert few.rows()["1"]["value"] == "200"
    assert "removed" in few.file.with_name("crm.csv.conflicts").read_text()


def test_a_renamed_phase_is_renamed_in_every_line_and_still_known_by_its_first_name(few):
    phases = few.people.phases(few.workflow)
    few.people("PATCH", f"/workflows/v1/phases/{phases['New']}", {"phase": {"name": "Fresh"}})
    few.sync()
    assert [row["phase"] for row in few.rows().values()] == ["Fresh", "Fresh", "Contacted"]
    few.write(few.file.read_text() + "4,Lea,New,,\n")
    few.sync()
    assert few.rows()["4"]["phase"] == "Fresh"
    assert len(few.people.phases(few.workflow)) == len(phases)


def test_a_new_column_takes_what_the_cards_say_and_empties_nothing(few):
    few.people("PATCH", few.card("1"), {"cardInfo": {"description": "Likes oak"}})
    few.sync()
    few.write(
        "\n".join(f"{line},{'notes' if not n else ''}" for n, line in enumerate(few.file.read_text().split())) + "\n"
    )
    few.sync()
    assert few.rows()["1"]["notes"] == "Likes oak"
    few.assert_in_step()


def test_a_file_keeps_the_style_of_the_program_that_saved_it(desk):
    desk.file.write_bytes("\ufeffid;Name;phase;Größe\r\n1;Ines;New;groß\r\n".encode())
    desk.sync()
    desk.people("PATCH", desk.card("1"), {"cardInfo": {"name": "Ines; Maren"}})
    desk.sync()
    assert desk.file.read_bytes() == '\ufeffid;Name;phase;Größe\r\n1;"Ines; Maren";New;groß\r\n'.encode()


def test_what_is_refused_is_said_and_stops_nothing_else(few):
    few.write(FEW.replace("100", "1.95").replace("Kim", "Kim Lang") + "4,,New,,\n5,Mo,,,\n")
    status, said = complaint(few)
    assert status == 0
    assert re.findall(r"^(\w+): ", said, re.MULTILINE) == ["1", "5", "4"]
    assert few.people.card(few.workflow, "3")["name"] == "Kim Lang"


def test_it_runs_on_and_carries_both_ways_until_it_is_ended(few):
    process = few.start("--every", "0.1")
    few.write(few.file.read_text().replace("Ines", "Ines Moreau"))
    wait_for(lambda: few.people.card(few.workflow, "1")["name"] == "Ines Moreau")
    few.people("PATCH", few.card("1"), {"cardInfo": {"name": "Ines Hale"}})
    wait_for(lambda: few.rows()["1"]["name"] == "Ines Hale")
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=20)
    assert (process.returncode, said) == (130, "")


# The file in other hands ------------------------------------------------------------------------------


def test_an_edit_in_the_middle_of_a_run_is_not_lost(few, wire):
    few.people("PATCH", few.card("1"), {"cardInfo": {"name": "Ines Hale"}})
    edited = few.file.read_text().replace("Jonas", "Jonas Weber").replace("Maren", "Anna")
    wire.when("done", lambda request, _: "cardsPerPhase" in request and not wire.ended, lambda: few.write(edited))
    few.sync()
    assert wire.ended
    assert few.rows()["1"] == {"id": "1", "name": "Ines Hale", "phase": "New", "owner": "Anna", "value": "100"}
    assert few.people.card(few.workflow, "2")["name"] == "Jonas Weber"
    few.assert_in_step()


def test_a_file_that_is_half_saved_archives_nothing(few):
    whole = few.file.read_text()
    few.file.write_text(whole[: whole.index("2,")])
    later = threading.Timer(0.6, few.file.write_text, [whole])
    later.start()
    few.sync()
    later.join()
    assert few.deeds() == {"created Ines": 1, "created Jonas": 1, "created Kim": 1}


@pytest.mark.parametrize(("text", "word"), [("", "empty or gone"), ("a,b\n1,2\n", "lacks the columns"), ('"', "read")])
def test_a_file_that_makes_no_sense_is_told_in_a_sentence(few, text, word):
    few.write(text)
    status, said = complaint(few)
    assert status == 1
    assert word in said
    assert "Traceback" not in said
    assert len(few.people.cards(few.workflow)) == 3


def test_two_at_once_do_not_get_in_each_others_way(few):
    with few.file.with_name("crm.csv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        status, said = complaint(few)
    assert status == 1
    assert "Another process keeps" in said


# Interrupted ------------------------------------------------------------------------------------------


def test_killed_again_and_again_it_still_does_each_thing_once(desk):
    begin(desk, fatal=random.randint(2, 40))
    change(desk)
    for _ in range(4):
        desk.sync(fatal=random.randint(1, 60))
    desk.sync()
    assert_ended_well(desk)


WRITES = (
    "PUT /workflows/v1/workflows/by-external-id/",
    "PUT .*/phases/by-external-id/",
    "POST .*/cards ",
    "PATCH .*/cards/",
    "POST .*/move ",
    "POST .*/archive ",
    "POST .*/restore ",
)


@pytest.mark.parametrize("kill", [True, False], ids=["and the script is killed", "and it asks again"])
def test_a_write_whose_answer_was_never_heard_is_not_done_twice(desk, wire, kill):
    running, unheard = [], set(WRITES)

    def is_first_of_its_kind(request, _):
        kinds = {kind for kind in unheard if re.match(kind, request)}
        unheard.difference_update(kinds)
        return kinds

    def sync():
        status = None
        while status != 0:
            running[:] = [desk.start()]
            said, _ = running[0].communicate(timeout=60)
            status = running[0].returncode
            assert status in ((0, -signal.SIGKILL) if kill else (0,)), said

    wire.when("done", is_first_of_its_kind, (lambda: running[0].kill()) if kill else (lambda: None))
    desk.write(FEW)
    sync()
    desk.write(
        FEW.replace("Ines", "Ines Hale").replace("Jonas,New", "Jonas,Won").replace("3,Kim,Contacted,Maren,\n", "")
    )
    sync()
    desk.write(desk.file.read_text() + "3,Kim,New,Maren,\n")
    sync()

    assert not unheard
    keys = [key_of(request) for request in wire.requests if not request.startswith("GET")]
    assert all(keys.count(key_of(request)) > 1 for request in wire.ended[1:])  # the workflow is found when it is there
    deeds = ["created Ines", "created Jonas", "created Kim", "updated Ines Hale", "moved Jonas from New to Won"]
    assert desk.deeds() == dict.fromkeys([*deeds, "archived Kim", "restored Kim"], 1)
    desk.assert_in_step()


@pytest.mark.parametrize(
    "said",
    [answer(429, "RATE_LIMITED", "", "Retry-After: 1"), answer(503), b"HTTP/1.1 200 OK\r\n"],
    ids=["for a second", "by a fault", "by half an answer"],
)
def test_when_it_is_put_off_it_asks_again_with_the_same_key(few, wire, said):
    few.write(FEW.replace("Ines", "Ines Hale"))
    wire.when("asked", lambda request, _: request.startswith("PATCH") and not wire.ended, lambda: said)
    few.sync()
    patches = [key_of(request) for request in wire.requests if request.startswith("PATCH")]
    assert len(patches) == 2
    assert len(set(patches)) == 1
    assert few.deeds()["updated Ines Hale"] == 1


def test_a_card_that_somebody_is_quicker_with_is_looked_at_again(few, wire):
    few.write(FEW.replace("Ines", "Ines Hale"))
    card = few.card("1")
    wire.when(
        "asked",
        lambda request, _: request.startswith("PATCH") and not wire.ended,
        lambda: few.people("PATCH", card, {"cardInfo": {"name": "Ines Moreau"}}) and None,
    )
    few.sync()
    assert few.rows()["1"]["name"] == few.people.card(few.workflow, "1")["name"] == "Ines Moreau"
    assert "Ines Hale" in few.file.with_name("crm.csv.conflicts").read_text()


def test_a_token_that_may_not_come_in_is_told_in_a_sentence(few, wire):
    few.token = "pw_wrong"
    assert complaint(few) == (
        1,
        "Phasewise does not let this token do it: Send a valid API token in the Authorization header.\n",
    )
    wire.when(
        "asked", lambda *_: True, lambda: answer(403, "PERMISSION_DENIED", "The token needs the scope CARD_VIEW.")
    )
    assert complaint(few, "--every", "0.1") == (
        1,
        "Phasewise does not let this token do it: The token needs the scope CARD_VIEW.\n",
    )


def test_it_needs_nothing_but_python():
    tree = ast.parse((machines.HERE / SCRIPT).read_text())
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names
