"""Options that several commands share."""

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console

from ecgmon.core.errors import RecordError, UsageError
from ecgmon.core.paths import require_writable

if TYPE_CHECKING:
    from ecgmon.core.alarm_limits import AlarmLimits

Data = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        file_okay=False,
        help="Folder of WFDB databases; searched before $ECGMON_DATA and the cache.",
    ),
]
Annotator = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Suffix of the annotation files, such as ecg or qrs.",
        show_default="atr",
    ),
]
SecondLead = Annotated[
    str | None,
    typer.Option(
        metavar="LEAD",
        help="Send this lead, too, by name or number: the monitor judges it while the first is "
        "clearly worse.",
    ),
]
KeepGoing = Annotated[
    bool,
    typer.Option("--keep-going", help="Leave out records that cannot be used, and name them."),
]
Seed = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Seed of all random draws.")]
SIMULATED: Final = "simulated"
"""Name of the simulated wearer, and of the built-in model enrolled on it."""

Model = Annotated[
    str | None,
    typer.Option(
        help="Judge by this model: a bundle's path, a wearer's id, or generic.",
        show_default="the wearer's own, else generic",
    ),
]
Json = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", help="Write all figures as JSON; - is stdout."),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Configuration file (TOML).",
        show_default="$ECGMON_CONFIG, else /etc/ecgmon/ecgmon.toml, else the user's own",
    ),
]
Journal = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="SQLite file of the journal."),
]
AbnormalRule = Annotated[
    str,
    typer.Option(
        "--abnormal", metavar="K/N", help="Raise *abnormal* at K abnormal of the last N seconds."
    ),
]
ClearAfter = Annotated[
    int,
    typer.Option(
        "--clear-after",
        metavar="SECONDS",
        min=1,
        max=3600,
        help="Clear *abnormal* after this many seconds in a row without an abnormal one.",
    ),
]


def alarm_rules(abnormal: str, clear_after: int) -> "AlarmLimits":
    """Read the alarm options; raises `LimitsError` where they make no rule."""
    from ecgmon.core.alarm_limits import AlarmLimits, k_of_n

    return AlarmLimits(abnormal=k_of_n(abnormal, clear_after))


def require_torch(instead: str = "") -> None:
    """Raise `UsageError`, with what to do, where the train extra is not installed."""
    if find_spec("torch") is None:  # to load it would take seconds
        raise UsageError(
            "Training needs the train extra: run make install-dev in a checkout, or "
            f"pip install 'ecgmon[train]'{instead}."
        )


def require_file(path: Path) -> None:
    """Make sure that long work can end in a file; raises `UsageError`, before it, where it cannot.

    Nothing is made or changed until then.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder: name a file with --out.")
    require_writable(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder that long work ends in; raises `UsageError`, before it, where it cannot."""
    require_writable(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"The folder {path} cannot be made ({error.strerror}): name another."
        ) from error


def say_skipped(skipped: Mapping[str, RecordError]) -> None:
    """Say on stderr which records were left out."""
    for error in skipped.values():
        Console(stderr=True, highlight=False).print(
            f"Left out: {error}", markup=False, soft_wrap=True
        )


def say_renamed(old: str, new: str) -> None:
    """Say on stderr that an old name was used, which is taken for one more version."""
    Console(stderr=True, highlight=False).print(
        f"{old} is now called {new}.", markup=False, soft_wrap=True
    )


def write(path: Path, text: str, mode: str = "w") -> None:
    """Write a file that the user named; ``-`` is stdout. Raises `UsageError` where it cannot."""
    write_bytes(path, text.encode(), f"{mode}b")


def write_bytes(path: Path, data: bytes, mode: str = "wb") -> None:
    """Write bytes as `write` writes text."""
    if path == Path("-"):
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        return
    try:
        with path.open(mode) as file:
            file.write(data)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
