"""The machine: its clock, and the unit that systemd runs."""

import ctypes
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import ecgmon
from ecgmon_cli.diagnosis.finding import Finding, ok, problem, warning

TIME_ERROR: Final = 5
"""What adjtimex says of a clock that nobody keeps right."""
UNITS: Final = tuple(
    map(Path, ("/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system"))
)
SYNCHRONISED: Final = Path("/run/systemd/timesync/synchronized")
"""What systemd-timesyncd leaves where it has set the clock."""
EXPOSURE: Final = 1.5
"""Most exposure, by systemd's own measure, of 10; the units that come with ecgmon have less."""


def clock() -> Iterator[Finding]:
    """Tell whether the clock can be right, and whether something keeps it right."""
    installed = Path(ecgmon.__file__).stat().st_mtime
    if time.time() < installed - 86_400:
        yield problem("clock", "the clock is older than this program", "set it: see timedatectl")
    elif not _synchronised():
        yield warning(
            "clock",
            "the clock is not synchronised, and alarms carry its time",
            "enable a time service: timedatectl set-ntp true",
        )
    else:
        yield ok("clock", "it is synchronised")


def unit() -> Iterator[Finding]:
    """Ask systemd how exposed the installed units are."""
    analyze = shutil.which("systemd-analyze")
    found = [path for folder in UNITS for path in sorted(folder.glob("ecgmon*.service"))]
    if analyze is None or not found:
        yield ok("unit", "no unit is installed" if analyze else "no systemd is here")
        return
    for path in found:
        done = subprocess.run(  # noqa: S603 - systemd's own program, on a file of its own
            [analyze, "security", "--offline=yes", "--no-pager", str(path)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        figure = re.search(r"exposure level for \S+: (\d+\.\d)", done.stdout)
        if figure is None:
            text = f"systemd-analyze says nothing of {path}"
            yield warning("unit", text, f"run {analyze} verify {path}")
        elif float(figure[1]) > EXPOSURE:
            text = f"{path} is exposed, by {figure[1]} of 10"
            yield warning("unit", text, "install the unit that comes with this version")
        else:
            yield ok("unit", f"{path} is exposed by {figure[1]} of 10")


def _synchronised() -> bool:
    """Ask the kernel, whoever it is that keeps its clock."""
    if sys.platform != "linux":
        return True  # not known
    struct_timex = ctypes.create_string_buffer(512)  # of zeros: only a question, twice its size
    state: int = ctypes.CDLL(None).adjtimex(struct_timex)
    if state == -1:  # a sandbox forbids the question
        return SYNCHRONISED.exists()
    return state != TIME_ERROR
