"""Many records at once: whatever is wrong with any of them is said of all of them together."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TypeVar

from ecgmon.core.errors import RecordError, RecordMissingError
from ecgmon.records.fetch import obtain
from ecgmon.records.find import find
from ecgmon.records.record import Found

T = TypeVar("T")


def each(
    names: Iterable[str],
    one: Callable[[Found], T],
    *,
    data: Path | None = None,
    fetch: Callable[[str], Found] | None = None,
    skipped: dict[str, RecordError] | None = None,
) -> list[tuple[str, T]]:
    """Find (or fetch) records and do something with each of them.

    Where the network cannot be reached, it is tried for one record only.

    Parameters
    ----------
    names : iterable of str
        As the command line takes them.
    one : callable
        What to do with a record; it may raise `RecordError`.
    data : Path, optional
        Folder to look in first.
    fetch : callable, optional
        Returns a record by its name; by default `ecgmon.records.fetch.obtain`.
    skipped : dict of str to RecordError, optional
        Where given, records that cannot be used are left out, and what is wrong with each is put
        here by its name.

    Returns
    -------
    list of (str, T)
        Name and result of each record, in the given order.

    Raises
    ------
    RecordError
        Names every record that cannot be used, where ``skipped`` is not given or nothing is left.
    """
    names, fetch = list(names), fetch or partial(obtain, data=data)
    done: list[tuple[str, T]] = []
    bad: dict[str, RecordError] = {}
    unreachable = False
    for name in names:
        try:
            if unreachable and isinstance(absent := find(name, data), str):
                raise RecordError(f"The record {absent} is not on this machine either.")
            done.append((name, one(fetch(name))))
        except RecordError as error:
            bad[name] = error
            absent_there = isinstance(error.__cause__, FileNotFoundError)
            unreachable |= isinstance(error, RecordMissingError) and not absent_there
    if skipped is not None and done:
        skipped.update(bad)
    elif len(bad) == 1:
        raise next(iter(bad.values()))
    elif bad:
        raise RecordError(
            f"{len(bad)} of {len(names)} records cannot be used:"
            + "".join(f"\n  {error}" for error in bad.values())
        )
    return done
