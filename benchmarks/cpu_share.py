"""A bound on the CPU time of a process, where control groups may be made."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

GROUPS: Final = Path("/sys/fs/cgroup")
PERIOD_US: Final = 20_000


@contextmanager
def bounded(pid: int, share: float) -> Iterator[bool]:
    """Let a process and its threads use a share of one core.

    Yields
    ------
    bool
        Whether it is so: false where no group can be made.
    """
    legacy = GROUPS / "cpu"
    group = (legacy if legacy.is_dir() else GROUPS) / f"ecgmon-{pid}"
    quota = round(share * PERIOD_US)
    try:
        group.mkdir()
        if legacy.is_dir():
            (group / "cpu.cfs_period_us").write_text(f"{PERIOD_US}")
            (group / "cpu.cfs_quota_us").write_text(f"{quota}")
        else:
            (group / "cpu.max").write_text(f"{quota} {PERIOD_US}")
        (group / "cgroup.procs").write_text(f"{pid}")
    except OSError:
        is_bounded = False
    else:
        is_bounded = True
    try:
        yield is_bounded
    finally:
        if is_bounded:
            (group.parent / "cgroup.procs").write_text(f"{pid}")
        if group.is_dir():
            group.rmdir()
