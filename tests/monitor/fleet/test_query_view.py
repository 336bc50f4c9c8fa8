"""``ecgmon view`` and its relatives with the address of a fleet's NATS server."""

import pytest

from ecgmon.core.errors import UsageError
from ecgmon.keys.address import MonitorAddress
from ecgmon.wire import messages
from ecgmon_cli.where import where
from monitor.fleet import names
from monitor.fleet.commands import CommandReader
from tests.monitor.fleet.query_rig import Owner
from tests.support.subprocesses import ecgmon, environment
from tests.support.terminals import Terminal
from tests.support.watching import alarm, opened, window
from tests.support.watching import link as link_of

PROGRAM = """
import os, sys
# The leader of a session gets the first terminal that it opens, and with it the keys' signals.
os.close(os.open(os.ttyname(1), os.O_RDWR))
from ecgmon_cli import main
sys.argv = ["ecgmon", "view", *sys.argv[1:]]
main()
"""


def partition_of(link, wearer):
    """Return a wearer's partition, as the server finds it."""

    async def probed():
        await link.js.publish(names.incoming(wearer), b"")
        last = await link.js.get_last_msg(names.SAMPLES, names.samples("*", wearer))
        return names.place(last.subject)[0]

    return link.run(probed())


@pytest.fixture
def owner(link):
    """The owner of ann's partition, who carries out what is asked for."""
    partition = partition_of(link, "ann")
    owner = Owner(link, partition)

    async def act(_, command):
        request = command.request
        if isinstance(request, messages.Acknowledge):
            seen = alarm("ann", request.alarm, state="acknowledged", by=request.by)
            await owner.say_later(seen)
            return None
        return "Nothing is paused here: do without."

    task = link.start(CommandReader(link, partition, 0).run(act))
    owner.say(opened("ann"), window("ann", 61.6), link_of("ann"), alarm("ann", 1))
    yield owner
    task.cancel()


@pytest.mark.thorough
def test_a_view_in_a_terminal(owner, server, tmp_path):
    terminal = Terminal(tmp_path, PROGRAM, server.address, "--by", "eve", "--mute")
    try:
        for text in (b"1 wearer", b"ann", b"62", b"abnormal it is"):
            terminal.wait_for(text)
        owner.say(opened("ben"), window("ben", 99.0), link_of("ben"))
        terminal.wait_for(b"2 wearers")
        terminal.type_until(b"a", b"acknowledged")
        terminal.type(b"q")
        assert terminal.wait() == 0
        terminal.assert_restored()
        assert terminal.process.stderr.read() == b""
    finally:
        terminal.close()


@pytest.mark.thorough
def test_status_and_alarms_ask_a_fleet(owner, server, tmp_path):
    at = ("--monitor", server.address)
    status = ecgmon("status", *at, env=environment(tmp_path))
    assert status.code == 0, status.err
    assert "ann" in status.out
    assert "abnormal it is" in status.out
    acked = ecgmon("alarms", "ack", "ann", "--by", "eve", *at, env=environment(tmp_path))
    assert acked.code == 0, acked.err
    past = ecgmon("alarms", "history", *at, env=environment(tmp_path))
    assert past.out.count("abnormal it is") == 2
    refused = ecgmon("alarms", "pause", "ann", "--kind", "noisy", *at, env=environment(tmp_path))
    assert "The monitor refused: Nothing is paused here: do without." in refused.err


@pytest.mark.thorough
def test_no_fleet_is_there(tmp_path):
    outcome = ecgmon("view", "nats://127.0.0.1:1", env=environment(tmp_path))
    assert outcome.code == 2
    assert "No NATS server answers at nats://127.0.0.1:1" in outcome.err
    assert "Traceback" not in outcome.err


def test_a_fleet_is_opened_without_a_key(tmp_path, monkeypatch):
    for variable in ("ECGMON_MONITOR", "ECGMON_KEY"):
        monkeypatch.delenv(variable, raising=False)
    address = "nats://10.0.0.5:4222"
    assert where("publish", address, None) == MonitorAddress(address)
    assert where("publish", None, None, address) == MonitorAddress(address)
    monkeypatch.setenv("ECGMON_MONITOR", address)
    assert where("publish", None, None) == MonitorAddress(address)
    with pytest.raises(UsageError, match=r"fleet\.credentials, not by a key: leave it out"):
        where("publish", address, tmp_path / "key")
    with pytest.raises(UsageError, match="is no endpoint to connect to"):
        where("ingest", address, None)
