"""Captures on disks that fail, or that others write to."""

import logging
from pathlib import Path

from ecgmon.records.captured import captures
from ecgmon.wire import messages
from monitor.capture import Capture
from tests.cli.subprocesses import python
from tests.monitor.rig import Rig
from tests.monitor.test_capture import files, piece, ramp

ROOT = Path(__file__).parents[2]


def test_a_folder_that_cannot_be_made_is_logged_once_and_stops_nothing(tmp_path, caplog):
    folder = tmp_path / "file" / "captured"
    folder.parent.touch()
    with Rig(tmp_path / "rig", captured=folder) as rig:
        listener, devices = rig.listener(), [rig.device(), rig.device()]
        for number, device in enumerate(devices):
            device.greet(f"wearer-{number}", number)
            for at in range(0, 3600, 600):
                device.send(at, ramp(at, 600))
                device.until_acked(at + 600)
            device.finish(3600)
            listener.until(messages.Closed, f"wearer-{number}")
            # The last second would need what comes after it.
            assert len(listener.all(messages.Window, f"wearer-{number}")) == 9
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "capture=failed lost=" in errors[0].getMessage()
    assert "Not a directory" in errors[0].getMessage()


def test_a_record_that_was_removed_or_changed_meanwhile_is_left_alone(tmp_path):
    capture = Capture(tmp_path, 1)
    for at, harm in ((0, "remove"), (300, "extend"), (600, "none")):
        capture.append("ann", piece(at, 100))
        capture.flush()
        data = captures(tmp_path, "ann")[0].path.with_suffix(".dat")
        if harm == "remove":
            data.unlink()
        elif harm == "extend":
            data.write_bytes(data.read_bytes() + b"\1\0")
        capture.append("ann", piece(at + 100, 100))  # is lost, or goes on
        capture.flush()
    found = files(tmp_path)
    assert {name[3]: len(samples) for name, samples in found.items()} == {300: 101, 600: 200}


FULL_DISK = """
import logging, resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from monitor.capture import Capture
from tests.monitor.test_capture import assert_ramp, files, piece

folder = Path(sys.argv[1])
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
capture = Capture(folder, 1)
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

def disk(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

at = 0
for _ in range(2):
    disk(5_000)
    for _ in range(8):
        capture.append("ann", piece(at, 1000))  # never raises
        capture.flush()
        at += 1000
    disk(hard)
    capture.append("ann", piece(at, 1000))
    capture.flush()
    at += 1000
found = files(folder)
for (_, _, _, first), samples in found.items():
    assert_ramp(samples, first)
assert max(first + len(samples) for (_, _, _, first), samples in found.items()) == at
print(sum(len(samples) for samples in found.values()) >= 2 * 3000)
"""


def test_a_full_disk_is_logged_once_each_time_and_what_is_there_stays_right(tmp_path):
    outcome = python(FULL_DISK, tmp_path, ROOT)
    assert (outcome.code, outcome.out) == (0, "True\n"), outcome.err
    complaints = [line.split()[:3] for line in outcome.err.splitlines()]
    assert complaints
    assert set(map(tuple, complaints)) == {("ERROR", "monitor.capture", "capture=failed")}
