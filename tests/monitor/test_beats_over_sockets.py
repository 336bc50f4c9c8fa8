"""From a device's frames to published beats over real sockets, and into the journal."""

import sqlite3
from contextlib import closing

import pytest

from ecgmon.core.constants import RATE
from ecgmon.records.find import find
from ecgmon.records.read import read
from ecgmon.wire import messages
from ecgmon.wire.beat_rows import BeatRow, decode_row, unpack
from replay.simulator.simulation import simulate
from tests.support.beat_bundles import export_random, train_generic
from tests.support.beats import final_beats, offline_beats, within_signal
from tests.support.rig import Rig

RECORD = simulate("premature", duration_s=30, seed=3).record


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return export_random(tmp_path_factory.mktemp("bundle") / "beats.onnx")


def rig_of(folder, bundle, **settings):
    return Rig(folder, resolve_beats=lambda w: bundle if w == "ann" else None, **settings)


def journaled(path):
    """Return the journal's beats, and the number of its rows that hold them."""
    with closing(sqlite3.connect(path)) as journal:
        rows = journal.execute("SELECT type, message FROM journal ORDER BY id").fetchall()
    found = [decode_row(text.encode()) for _, text in rows]
    beats = [one for one in found if isinstance(one, BeatRow)]
    assert not [kind for kind, _ in rows if kind == "beat"]
    return [beat for one in beats for beat in unpack(one)], len(beats)


def play(rig, samples, gain, size=90):
    listener, device = rig.listener(), rig.device()
    device.greet("ann", 1)
    device.send_all(samples, size=size, gain=gain)
    device.bye(len(samples))
    listener.until(messages.Closed, "ann")  # it listens all the time: a slow viewer loses messages
    return listener.received


def test_beats_reach_who_listens_and_the_journal_as_the_trainer_calls_them(tmp_path, bundle):
    with rig_of(tmp_path, bundle) as rig:
        output = play(rig, RECORD.samples, RECORD.gain)
    wanted = offline_beats(RECORD, bundle)
    assert final_beats(output) == wanted
    stored, rows = journaled(rig.journal)
    assert [(beat.at, beat.label) for beat in stored] == wanted
    assert rows < len(stored)
    events = [m.text for m in output if isinstance(m, messages.Event) and m.event == "beat-model"]
    assert events == ["context judges beats"]


def test_who_wants_beats_of_one_wearer_gets_no_others(tmp_path, bundle):
    with rig_of(tmp_path, bundle) as rig:
        listener = rig.listener("beat/ann", "closed/ann")
        others = rig.listener("beat/bob", "closed/ann")
        play(rig, RECORD.samples[: 10 * RATE], RECORD.gain)
        for one in (listener, others):
            one.until(messages.Closed, "ann")
    assert listener.all(messages.Beat, "ann")
    assert not others.all(messages.Beat, "ann")


def test_beats_go_on_after_a_restart_and_come_once(tmp_path, bundle):
    cut = 17 * RATE + 50
    output, captured = [], tmp_path / "captured"
    with rig_of(tmp_path, bundle, captured=captured) as rig:
        listener, device = rig.listener(), rig.device()
        device.greet("ann", 1)
        device.send_all(RECORD.samples[:cut], size=90, gain=RECORD.gain)
        device.until_acked(cut)
        listener.until(messages.Window, "ann", first=16 * RATE - RATE)
        rig.stop()
        listener.drain()
        output += listener.received
    with rig_of(tmp_path, bundle, captured=captured) as rig:
        listener, device = rig.listener(), rig.device()
        at = device.greet("ann", 1).next
        device.send_all(RECORD.samples[at:], first=at, size=90, gain=RECORD.gain)
        device.finish(len(RECORD.samples))
        listener.until(messages.Closed, "ann")
        output += listener.received
    wanted = offline_beats(RECORD, bundle)
    assert final_beats(output) == wanted
    assert [(beat.at, beat.label) for beat in journaled(rig.journal)[0]] == wanted


@pytest.mark.slow
def test_record_208_replayed_to_a_monitor_is_judged_as_offline(tmp_path, mitdb):
    """By a generic model, trained by the recipe on records of others."""
    bundle = train_generic(tmp_path / "beats.onnx", mitdb.parent)
    record = read(find("208", mitdb.parent))
    with rig_of(tmp_path / "monitor", bundle) as rig:
        output = play(rig, record.samples, record.gain, size=1000)
    wanted = within_signal(offline_beats(record, bundle), output)
    assert final_beats(output) == wanted
    assert len(wanted) > 2500
    called = [label for _, label in wanted]
    assert 500 < called.count("V") < 1500  # 992 are annotated
