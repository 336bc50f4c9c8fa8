"""Captures on disks that fail, or that others write to."""

from pathlib import Path

from ecgmon.records.captured.reader import captures
from ecgmon.wire import messages
from monitor import daemon
from monitor.storage.capture import Capture
from tests.monitor.storage.test_capture import files, piece, ramp
from tests.support.rig import Rig
from tests.support.subprocesses import python

ROOT = Path(__file__).parents[3]


def test_a_folder_that_cannot_be_made_is_logged_stops_nothing_and_acknowledges_nothing(
    tmp_path, caplog, monkeypatch
):
    monkeypatch.setattr(daemon, "LINK_S", 0.1)
    folder = tmp_path / "file" / "captured"
    folder.parent.touch()
    with Rig(tmp_path / "rig", captured=folder) as rig:
        listener, devices = rig.listener(), [rig.device(), rig.device()]
        for number, device in enumerate(devices):
            device.greet(f"wearer-{number}", number)
            for at in range(0, 3600, 720):
                device.send(at, ramp(at, 720))
                device.until_seen(at + 720)
            # The last second needs what comes after it.
            listener.until(messages.Window, f"wearer-{number}", first=8 * 360)
            assert all(ack.next == 0 for ack in device.hear_all())
        listener.until(messages.Alarm, None)
        folder.parent.unlink()
        for number, device in enumerate(devices):
            device.until_acked(3600)
            device.finish(3600)
            listener.until(messages.Closed, f"wearer-{number}")
            (samples,) = files(folder, f"wearer-{number}").values()
            assert list(samples) == list(ramp(0, 3600))
        listener.until(messages.Alarm, None, state="cleared")
    journal_messages = [
        r.getMessage() for r in caplog.records if r.name == "monitor.storage.disk_trouble"
    ]
    assert journal_messages[0].startswith("event=disk-failing held=")
    assert any("Not a directory" in line for line in journal_messages)
    assert journal_messages[-1].startswith("event=disk-well seconds=")
    assert journal_messages[-1].endswith("not_kept=0")


def test_a_record_that_was_removed_or_changed_meanwhile_is_left_alone(tmp_path):
    capture = Capture(tmp_path, 1)
    for at, harm in ((0, "remove"), (300, "extend"), (600, "none")):
        capture.append([("ann", piece(at, 100))])
        capture.flush()
        data = captures(tmp_path, "ann")[0].path.with_suffix(".dat")
        if harm == "remove":
            data.unlink()
        elif harm == "extend":
            data.write_bytes(data.read_bytes() + b"\1\0")
        capture.append([("ann", piece(at + 100, 100))])  # goes into another record, or goes on
        capture.flush()
        assert capture.error is None
    found = files(tmp_path)
    # From 100 on the gap of 100 is filled; what the other program wrote is left as it is.
    lengths = {name[3]: len(samples) for name, samples in found.items()}
    assert lengths == {100: 301, 400: 400}


FULL_DISK = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from monitor.storage.capture import Capture
from tests.monitor.storage.test_capture import assert_ramp, files, piece

folder = Path(sys.argv[1])
capture = Capture(folder, 1)
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

def disk(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

at = 0
for size in (5_001, 25_001):
    disk(size)
    for _ in range(8):
        capture.append([("ann", piece(at, 1000))])
        capture.flush()  # never raises
        at += 1000
    assert capture.error is not None
    assert sum(len(s) for s in files(folder).values()) + capture.holding.held >= at
    disk(hard)
    capture.flush()
    assert capture.error is None
    assert capture.holding.held == 0
((name, samples),) = files(folder).items()
assert_ramp(samples, 0)
print(len(samples) == at)
"""


def test_what_a_full_disk_did_not_take_is_written_when_there_is_room(tmp_path):
    """Also after a write that was cut in the middle of a sample."""
    outcome = python(FULL_DISK, tmp_path, ROOT)
    assert (outcome.code, outcome.out) == (0, "True\n"), outcome.err
