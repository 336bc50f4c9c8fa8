"""The units: sound, tight, and the instances like the single one; and that the program bears it."""

import platform
import re
import shutil
from pathlib import Path

import pytest

from tests.support.subprocesses import ECGMON, ecgmon, environment, python, shell

UNITS = Path(__file__).parents[2] / "systemd"
NAMES = ("ecgmon.service", "ecgmon@.service")
EXPOSURE = 1.5
"""Most that is allowed of systemd's own measure, of 10."""

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="needs systemd-analyze"
)


@needs_systemd
@pytest.mark.parametrize("name", NAMES)
def test_systemd_finds_nothing_wrong(name, tmp_path):
    unit = tmp_path / name.replace("@", "@icu")
    unit.write_text((UNITS / name).read_text().replace("/opt/ecgmon/bin/ecgmon", str(ECGMON)))
    outcome = shell(f"systemd-analyze verify {unit}", environment(tmp_path))
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")


@needs_systemd
def test_systemd_would_find_what_is_wrong(tmp_path):
    unit = tmp_path / "ecgmon.service"
    unit.write_text((UNITS / "ecgmon.service").read_text() + "Nonsense=yes\n")
    outcome = shell(f"systemd-analyze verify {unit}", environment(tmp_path))
    assert outcome.code != 0
    assert "/opt/ecgmon/bin/ecgmon is not executable" in outcome.err


@needs_systemd
@pytest.mark.parametrize("name", NAMES)
def test_the_service_is_exposed_to_little(name, tmp_path):
    line = f"systemd-analyze security --offline=yes --no-pager {UNITS / name} | tail -1"
    outcome = shell(line, environment(tmp_path))
    exposure = re.search(r"exposure level for ecgmon(?:@i)?\.service: (\d+\.\d)", outcome.out)
    assert exposure, outcome
    assert float(exposure[1]) <= EXPOSURE


def test_an_instance_is_the_same_service_with_places_of_its_own():
    single, instance = ((UNITS / name).read_text().splitlines() for name in NAMES)
    assert len(single) == len(instance)
    changed = [(a, b) for a, b in zip(single, instance, strict=True) if a != b]
    for _, line in changed[1:]:
        assert "%i" in line
    assert {line.partition("=")[0] for line, _ in changed[1:] if line[0] != "#"} == {
        "Description",
        "StateDirectory",
        "RuntimeDirectory",
        "Environment",
        "LoadCredential",
        "User",
    }


CONFINED = """
import ctypes, errno, mmap, socket, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
LOAD, EQUAL, BITS, AND, RETURN = 0x20, 0x15, 0x45, 0x54, 0x06
ALLOW, DENY = 0x7FFF0000, 0x00050000

class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_void_p)]

def confine(steps):
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    rules = Filter(len(steps), ctypes.cast(code, ctypes.c_void_p))
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    assert libc.prctl(22, 2, ctypes.addressof(rules), 0, 0) == 0

# MemoryDenyWriteExecute: no mmap writable and executable, and nothing is made executable.
confine([
    (LOAD, 0, 0, 0), (EQUAL, 2, 0, 9), (EQUAL, 4, 0, 10), (EQUAL, 3, 5, 329),
    (LOAD, 0, 0, 32), (AND, 0, 0, 6), (EQUAL, 3, 2, 6),
    (LOAD, 0, 0, 32), (BITS, 1, 0, 4),
    (RETURN, 0, 0, ALLOW), (RETURN, 0, 0, DENY | errno.EPERM),
])
# RestrictAddressFamilies: no socket of any other family.
families = [getattr(socket, name) for name in sys.argv[1:]]
confine([
    (LOAD, 0, 0, 0), (EQUAL, 0, len(families) + 2, 41), (LOAD, 0, 0, 16),
    *((EQUAL, len(families) - i, 0, family) for i, family in enumerate(families)),
    (RETURN, 0, 0, DENY | errno.EAFNOSUPPORT), (RETURN, 0, 0, ALLOW),
])
for forbidden in (
    lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC),
    lambda: socket.socket(socket.AF_PACKET),
):
    try:
        forbidden()
    except OSError:
        continue
    raise SystemExit("the filter does not hold")
"""
REPLAY = """
sys.argv = ["ecgmon", "replay", "--simulate", "premature", "--speed", "max", "--no-view"]
from ecgmon_cli import main
main()
"""
BIND = "import zmq; zmq.Context().socket(zmq.ROUTER).bind('tcp://127.0.0.1:*')"


@pytest.mark.thorough
@pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"),
    reason="needs the system call numbers of x86-64 Linux",
)
def test_the_monitor_works_within_what_the_unit_leaves_it(tmp_path):
    unit = (UNITS / "ecgmon.service").read_text()
    assert "\nMemoryDenyWriteExecute=yes\n" in unit
    families = re.search(r"^RestrictAddressFamilies=(.*)$", unit, re.M)[1].split()
    outcome = python(CONFINED + REPLAY, *families, env=environment(tmp_path))
    assert (outcome.code, outcome.err) == (0, "")
    assert "all alarms as expected" in outcome.out
    outcome = python(CONFINED + BIND, "AF_UNIX", "AF_INET", env=environment(tmp_path))
    assert "ip_resolver" in outcome.err  # the check sees what is missing: here netlink


@needs_systemd
def test_the_units_of_a_fleet_are_sound(tmp_path):
    env = environment(tmp_path)
    done = ecgmon("fleet", "init", tmp_path / "fleet", "--servers", "a,b,c", env=env)
    assert done.code == 0, done.err
    server = (tmp_path / "fleet" / "n1" / "ecgmon-nats.service").read_text()
    unit = tmp_path / "ecgmon-nats.service"
    unit.write_text(server.replace("/opt/ecgmon/bin/nats-server", str(ECGMON)))
    outcome = shell(f"systemd-analyze verify {unit}", env)
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    for role in ("gateway", "monitor"):
        unit = tmp_path / f"ecgmon@{role}.service"
        dropped = tmp_path / "fleet" / role / f"ecgmon@{role}.service.d" / "fleet.conf"
        lines = dropped.read_text().replace("/opt/ecgmon/bin/ecgmon", str(ECGMON))
        unit.write_text((UNITS / "ecgmon@.service").read_text() + lines)
        outcome = shell(f"systemd-analyze verify {unit}", env)
        assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
