"""Sources of an enrolment's signal, and its folder on disk; this module loads no torch."""

import contextlib
import re
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from ecgmon.core.atomic import atomic_write
from ecgmon.core.constants import RATE, WINDOW
from ecgmon.core.errors import RecordError
from ecgmon.core.paths import captured_folder, enrolments_folder, require_writable
from ecgmon.keys.address import MonitorAddress
from ecgmon.models.card import Input
from ecgmon.models.resolve import stored
from ecgmon.records import Record
from ecgmon.records.captured import reader, resampled
from ecgmon.records.captured.layout import NAME
from ecgmon.records.converted import read_converted
from ecgmon.records.read import read
from ecgmon.records.record import Found
from trainer.data.splits import ENROLMENT_S
from trainer.enrolment.live import follow
from trainer.enrolment.request import EnrolmentRequest, FromCaptured, FromKept, FromRecord
from trainer.enrolment.review.vocabulary import VOCABULARIES

REPORTS: Final[Mapping[Input, str]] = MappingProxyType({"window": ".html", "beat": ".beats.html"})
"""Suffix of an enrolment's report, by what the model judges."""


def take(request: EnrolmentRequest) -> tuple[Record, str]:
    """Return the requested signal at `RATE`, and a notice on it, which may be empty.

    The signal of an unfinished review has priority over a captured or live one, unless the request
    is ``afresh`` or assumes a normal rhythm. With ``afresh``, unfinished reviews are set aside.

    Raises
    ------
    EcgmonError
        If there is no such signal.
    """
    patient, source, notice = request.patient, request.source, ""
    if isinstance(source, FromKept):
        return from_kept(patient, source, request.data), notice
    begun = None
    if not (isinstance(source, FromRecord) or request.afresh or request.labels == "assumed normal"):
        begun = unfinished(patient, request.kind)
    if isinstance(source, FromRecord):
        record = from_record(source.name, request.data, ENROLMENT_S, source.annotator)
        notice = record.notice
    elif begun is not None:
        record = begun
        notice = f"Going on with {patient}'s unfinished review. For new signal: --afresh"
    elif isinstance(source, FromCaptured):
        record = from_captured(patient, ENROLMENT_S)
    else:
        record = from_live(patient, source.minutes, source.monitor)
    if request.afresh:
        set_aside(patient, request.kind, record if isinstance(source, FromRecord) else None)
    return record, notice


def from_record(name: str, data: Path | None, seconds: int, annotator: str | None = None) -> Record:
    """Read the first seconds of a record at `RATE`; fetch it if it is not on this machine."""
    record = read_converted(name, annotator=annotator, data=data)
    stop = (seconds + 1) * WINDOW  # one more for the look-ahead of the last window
    marks = record.annotations
    return replace(
        record, samples=record.samples[:stop], annotations=marks and marks.between(0, stop)
    )


def from_captured(wearer: str, seconds: int) -> Record:
    """Read the newest seconds that a monitor has captured of a wearer.

    Raises
    ------
    RecordError
        If too few seconds are captured without a gap.
    """
    folder = captured_folder()
    found = reader.captures(folder, wearer)
    if not found:
        raise RecordError(
            f"Nothing of {wearer} is captured in {folder}: start ecgmon serve and let the device "
            "stream, or give a --record."
        )
    newest, first = found[0], found[0].first
    mine = (record for record in found if record.stream == newest.stream)
    for before in sorted(mine, key=lambda record: record.first, reverse=True):
        same = (before.gain, before.lead) == (newest.gain, newest.lead)
        if not (same and before.stop >= first):
            break
        first = min(first, before.first)
    needed, stop = (seconds + 1) * WINDOW, resampled.end(newest)
    held_s = int((newest.stop - first) / newest.rate)
    if held_s * RATE < needed:
        raise RecordError(
            f"Only the last {held_s} s of {wearer}'s newest stream are captured in one piece, and "
            f"enrolment takes {needed // RATE}: let it go on, or follow it with --live."
        )
    return resampled.hear(folder, wearer, newest.stream, stop - needed, stop)


def from_live(wearer: str, minutes: int, monitor: MonitorAddress) -> Record:
    """Follow a running monitor until it has captured enough good signal, and read that."""
    folder = captured_folder()
    span = follow(wearer, minutes * 60 + 1, monitor, folder)
    return resampled.hear(folder, wearer, span.stream, span.start, span.stop)


def from_kept(wearer: str, source: FromKept, data: Path | None) -> Record:
    """Read the signal of an enrolment again: the record with its annotations, or what was kept.

    Raises
    ------
    RecordError
        If it is not there any more.
    """
    name, instead = source.span.record, "enrol anew with --record, --captured or --live"
    if source.labels == "annotations":
        try:
            record = from_record(name, data, ENROLMENT_S, source.annotator)
        except RecordError as error:
            reason = str(error).rstrip(".")
            raise RecordError(f"{name} cannot be read again: {instead} ({reason}).") from error
        if record.annotations is None:
            raise RecordError(f"{name} has no annotations any more: {instead}.")
        return record
    kept = {f"captured/{wearer}/{path.stem}": path for path in _folder(wearer).glob("*.hea")}
    kept[name] = _place(name, wearer).with_suffix(".hea")
    for called, path in kept.items():
        if origin(called) == (name, source.span.start) and path.is_file():
            return read(Found(called, wearer, path.with_suffix("")))
    raise RecordError(f"The signal of {name} is not kept in {_folder(wearer)}: {instead}.")


def require_room(wearer: str) -> None:
    """Raise `UsageError` if a model or a signal of the wearer could not be stored."""
    for folder in (stored().folder / wearer, _folder(wearer)):
        require_writable(folder, "choose another place with $ECGMON_STATE")


def unfinished(wearer: str, kind: Input) -> Record | None:
    """Return the captured signal of the newest unfinished review of a kind, or None."""
    for review in _unfinished(wearer, kind):
        path = review.with_suffix("")
        with contextlib.suppress(RecordError):  # its signal is damaged: an older one may not be
            return read(Found(f"captured/{wearer}/{path.name}", wearer, path))
    return None


def set_aside(wearer: str, kind: Input, record: Record | None) -> None:
    """Rename a record's review, or without a record every unfinished one, to put it aside."""
    reviews = _unfinished(wearer, kind)
    if record is not None:
        annotator = VOCABULARIES[kind].annotator
        reviews = [place_of(record, wearer).with_suffix(f".{annotator}")]
    for review in reviews:
        if review.exists():
            review.replace(review.with_name(f"{review.name}.{int(time.time())}"))


def _unfinished(wearer: str, kind: Input) -> list[Path]:
    """Return the reviews of captured signals without a report, the newest first."""
    begun = [
        path
        for path in _folder(wearer).glob(f"*.{VOCABULARIES[kind].annotator}")
        if NAME.fullmatch(path.stem) and not path.with_suffix(REPORTS[kind]).exists()
    ]
    return sorted(begun, key=lambda path: path.stat().st_mtime, reverse=True)


def keep(record: Record, wearer: str) -> Path:
    """Store the signal of an enrolment as a WFDB record of the wearer.

    Returns
    -------
    Path
        Path of its files without suffix; a review's annotations and the report have the same.

    Raises
    ------
    RecordError
        If it cannot be written, or another signal has its place.
    """
    path = place_of(record, wearer)
    try:
        if path.with_suffix(".hea").exists():
            _require_same(record, path)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(record, path)
    except OSError as error:
        raise RecordError(
            f"The signal cannot be kept in {path.parent} ({error.strerror}): make room there, or "
            "choose another place with $ECGMON_STATE."
        ) from error
    return path


def origin(record: str) -> tuple[str, int]:
    """Return the record or stream that a signal is part of, and its first second in that.

    Captured signals of one stream may overlap, so a card names the stream.
    """
    folder, _, name = record.rpartition("/")
    if not NAME.fullmatch(name):
        return record, 0
    stream, _, first = name.partition("-")
    return f"{folder}/{stream}", int(first) // RATE


def place_of(record: Record, wearer: str) -> Path:
    """Return the path, without suffix, of an enrolment's signal and report."""
    return _place(record.name, wearer)


def _place(record: str, wearer: str) -> Path:
    name = record.removeprefix(f"captured/{wearer}/")
    return _folder(wearer) / re.sub(r"[^A-Za-z0-9_-]", "_", name)[-64:]


def _folder(wearer: str) -> Path:
    return enrolments_folder() / wearer


def _require_same(record: Record, path: Path) -> None:
    there = read(Found(str(path), record.wearer, path))
    same_gain = np.float32(there.gain) == np.float32(record.gain)  # `read` may have rounded it
    if not (same_gain and np.array_equal(there.samples, record.samples)):
        raise RecordError(
            f"{path}.dat holds another signal than {record.name}: move it away with its review to "
            "enrol on this one."
        )


def _write(record: Record, path: Path) -> None:
    """Write the record; its header comes last, so that a record with a header is complete."""
    import wfdb  # takes a quarter of a second to load

    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".keeping-") as folder:
        wfdb.wrsamp(
            path.name,
            fs=record.rate,
            units=["mV"],
            sig_name=[record.lead],
            d_signal=record.samples[:, None],
            fmt=["16"],
            adc_gain=[record.gain],
            baseline=[0],
            write_dir=folder,
        )
        for suffix in (".dat", ".hea"):
            atomic_write(
                path.with_suffix(suffix), (Path(folder) / f"{path.name}{suffix}").read_bytes()
            )
