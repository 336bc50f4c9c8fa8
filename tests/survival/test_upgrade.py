"""0.1.0's wheel and today's take turns on one state folder, while devices go on; then removal."""

import json
import re
import shutil
import signal
import sqlite3
import time
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from ecgmon import __version__
from ecgmon.records.fetch import obtain
from ecgmon.records.read import read
from replay.simulator.simulation import simulate
from tests.support.installation import Installation, wheel
from tests.support.subprocesses import shell, start
from tests.survival.conftest import Playing
from tests.survival.test_kills import free_endpoints

pytestmark = pytest.mark.slow  # two wheels, an enrolment and three monitors: two minutes

FIRST = "4ca67f9"
"""The commit of version 0.1.0."""
PAGE = (Path(__file__).parents[2] / "docs" / "service.md").read_text()
RATE = 360
ENROLLED_S = 300
"""Seconds of captured signal that an enrolment takes."""
PATIENCE_S = 400
AWAY_S = 1800.0
"""For so long devices wait for a monitor that is not there, or that is not looked after."""
LENGTH_S = {"ann": 1000, "bob": 70}


class Service:
    """The installed monitor, always at the same endpoints and with the same state folder."""

    def __init__(self, folder):
        self.installation = Installation(folder / "machine")
        self.folder = folder
        self.lives = 0
        self.ingest, self.publish = free_endpoints()
        self.env = self.installation.env | {
            "ECGMON_NETWORK_INGEST": self.ingest,
            "ECGMON_NETWORK_PUBLISH": self.publish,
        }

    @contextmanager
    def running(self):
        """Run the monitor until the block ends, then stop it as systemd does."""
        self.lives += 1
        folder = self.folder / f"life-{self.lives}"
        with start(self.installation.program, "serve", folder=folder, env=self.env) as monitor:
            monitor.wait_for("ready", PATIENCE_S)
            yield monitor
            assert monitor.end(signal.SIGTERM).code == 0

    def journal(self, wearer, *kinds):
        """Return what was journalled of a wearer, in order."""
        rows = "SELECT type, message FROM journal WHERE wearer = ? ORDER BY id"
        with closing(sqlite3.connect(self.installation.state / "journal.db")) as db:
            found = db.execute(rows, (wearer,)).fetchall()
        return [json.loads(text) for kind, text in found if kind in kinds]

    def models(self, wearer):
        """Return the models that judged a wearer, in order."""
        return list(dict.fromkeys(m["model"] for m in self.journal(wearer, "window")))

    def alarms(self, wearer, kind):
        """Return number and state of each change of a wearer's alarms of a kind, in order."""
        published = self.journal(wearer, "alarm")
        return [(m["alarm"], m["state"]) for m in published if m["kind"] == kind]

    def active(self):
        """Return wearer, kind and state of each alarm of signals that the running one knows."""
        listed = json.loads(self.installation.says("alarms", "list", *self.asked, "--json", "-"))
        return {
            (m["wearer"], m["kind"], m["state"]) for m in listed if m["kind"] not in ("silent",)
        }

    @property
    def asked(self):
        """Options by which a command of either version finds the monitor."""
        return ("--endpoint", self.publish)


@pytest.fixture
def service(tmp_path):
    return Service(tmp_path)


@pytest.fixture
def playing(context):
    """Start devices; gives each, to be moved on by `go_on`."""
    with ExitStack() as stack:

        def playing(record, endpoint, speed):
            device = Playing(context, record, endpoint, speed, AWAY_S)
            stack.callback(device.device.close)
            return device

        yield playing


def go_on(devices, until):
    """Let devices send until something is so."""
    deadline = time.monotonic() + PATIENCE_S
    looked = 0.0
    while True:
        assert time.monotonic() < deadline, [one.device.figures() for one in devices]
        for one in devices:
            if not one.device.finished:
                one.turn()
        if time.monotonic() - looked > 0.1:
            looked = time.monotonic()
            if until():
                return


def acknowledged(one, seconds):
    return lambda: one.device.retransmit.acknowledged >= seconds * RATE


def seconds_of(windows):
    """Return the number of each second, which follow each other without a hole."""
    numbers = [m["first"] // RATE for m in windows]
    assert all(b == a + 1 for a, b in pairwise(numbers)), numbers
    return numbers


def flat(wearer):
    """A heart that beats for 20 s, and then a flat line."""
    record = simulate("normal", duration_s=80, wearer=wearer).record
    samples = record.samples.copy()
    samples[20 * RATE : 60 * RATE] = samples[20 * RATE]
    return replace(record, samples=samples)


def removal():
    """Return the commands of the page that remove files."""
    (block,) = re.findall(r"## Remove\n\n(.*?)\n## ", PAGE, re.DOTALL)
    return [line.strip().removeprefix("sudo ") for line in block.splitlines() if " rm " in line]


def test_an_upgrade_goes_on_where_0_1_0_was_and_back_and_removal_leaves_nothing(
    service, playing, mitdb, tmp_path
):
    old, new = wheel(tmp_path / "old", FIRST), wheel(tmp_path / "new")
    installed = service.installation
    installed.env["ECGMON_DATA"] = service.env["ECGMON_DATA"] = str(mitdb.parent)
    installed.install(old)
    installed.units()
    config = Path(installed.env["ECGMON_CONFIG"])
    config.write_text(installed.says("config", "show", "--defaults"))
    assert installed.says("--version") == "ecgmon 0.1.0\n"
    assert "review" in installed.imported()

    record = read(obtain("mitdb/119", data=mitdb.parent))
    ann = replace(record, wearer="ann", samples=record.samples[: LENGTH_S["ann"] * RATE])
    bob = simulate("asystole", duration_s=LENGTH_S["bob"], wearer="bob").record

    with service.running():
        ann = playing(ann, service.ingest, 30)
        go_on([ann], acknowledged(ann, ENROLLED_S + 20))
        installed.says(
            "enroll", "--patient", "ann", "--captured", "--assume-normal", patience_s=900
        )
        installed.says("keys", "make", "nurse", "--all", "-o", "-")
        go_on([ann], lambda: len(service.models("ann")) == 2)
        own = service.models("ann")[-1]
        bob = playing(bob, service.ingest, 3)
        go_on([bob], lambda: service.alarms("bob", "asystole"))
    assert not ann.device.finished
    before = {wearer: service.journal(wearer, "window") for wearer in ("ann", "bob")}
    assert service.alarms("bob", "asystole") == [(1, "raised")]

    installed.install(new)
    assert installed.says("--version") == f"ecgmon {__version__}\n"
    assert {"viewer", "ecgmon_cli"} <= installed.imported()
    assert "review" not in installed.imported(), "0.1.0 left a package behind"
    installed.says("config", "check")
    newer = installed.root / "tmp" / "newer.toml"
    newer.write_text(installed.says("config", "show", "--defaults"))
    with service.running():
        assert service.active() >= {("bob", "asystole", "raised")}
        go_on([ann], acknowledged(ann, ann.device.retransmit.acknowledged // RATE + 60))
        go_on([bob], lambda: (1, "latched") in service.alarms("bob", "asystole"))
        carl = playing(flat("carl"), service.ingest, 20)
        go_on([carl], lambda: service.alarms("carl", "flat-line"))
        published = json.loads(
            installed.says("alarms", "history", "bob", *service.asked, "--json", "-")
        )
        assert ("asystole", "raised") in {(m["kind"], m["state"]) for m in published}
        exported = installed.says("export", "--patient", "ann", "--format", "csv", "-o", "-")
    windows = service.journal("ann", "window")
    assert windows[: len(before["ann"])] == before["ann"]
    assert len(exported.splitlines()) > len(before["ann"])
    assert {m["model"] for m in windows[len(before["ann"]) :]} == {own}
    assert service.alarms("bob", "asystole") == [(1, "raised"), (1, "latched")]

    installed.install(old)
    assert installed.says("--version") == "ecgmon 0.1.0\n"
    installed.says("config", "check")
    installed.says("config", "check", newer, code=2)  # network.key is new
    newer.unlink()
    with service.running():
        # 0.1.0 has no alarm of this kind, and forgets an active one.
        assert {kind for _, kind, _ in service.active()} & {"asystole", "flat-line"} == {"asystole"}
        installed.says("alarms", "ack", "bob", *service.asked)
        assert service.alarms("bob", "asystole")[-1] == (1, "cleared")
        go_on([ann, bob], lambda: ann.device.finished and bob.device.finished)
        installed.says("export", "--patient", "ann", "--format", "csv", "-o", "-")
    for wearer, end in LENGTH_S.items():
        windows = service.journal(wearer, "window")
        assert seconds_of(windows) == list(range(end - 1))  # the last one lacks its look-ahead
        assert not service.journal(wearer, "gap")
        assert len({m["stream"] for m in windows}) == 1
        assert len(service.journal(wearer, "closed")) == 1
    assert service.models("ann") == ["generic-beatnet", own]

    credential = installed.root / "etc" / "credstore" / "ecgmon.server.key"
    shutil.copy(installed.state / "keys" / "monitor.key", credential)
    assert installed.left()
    for line in removal():
        done = shell(re.sub(r"(?<= )/", f"{installed.root}/", line), installed.env)
        assert done.code == 0, done.err
    users = re.findall(r"`~/([^`]+)`", PAGE.partition("## Remove")[2])
    assert [
        f for f in installed.left() if not f.startswith(tuple(f"home/{u}" for u in users))
    ] == []
