"""Reading WFDB records."""

import math
from pathlib import Path
from typing import Any, Final

import numpy as np
import wfdb
from numpy.typing import NDArray

from ecgmon.errors import RecordError
from ecgmon.records.annotations import load, symbol
from ecgmon.records.find import Found
from ecgmon.records.record import Annotations, Record
from ecgmon.wire.frame import MIN_GAIN, NO_VALUE

MAX_COUNT: Final = 32767
"""Largest ADC count; `NO_VALUE` lies just below the smallest."""
LEAD_II: Final = ("MLII", "II")
"""Lead II of the chest (modified) and of the limbs."""
MAX_SAMPLES: Final = 200_000_000
"""Longest record read: six days at 360 Hz, 400 MB."""


def read(found: Found, *, lead: str | None = None) -> Record:
    """Read one lead of a record with its reference annotations, if there are any.

    Parameters
    ----------
    found : Found
        Where it is.
    lead : str, optional
        Name of the lead, or its number counted from 1; lead II when not given (by its name: 114
        of MIT-BIH has it second), the first one where there is no lead II.

    Returns
    -------
    Record

    Raises
    ------
    RecordError
        If it cannot be read, has no such lead, or does not match its header's checksum.
    """
    header = read_header(found)
    leads = [_printable(name, i) for i, name in enumerate(header.sig_name, start=1)]
    channel = _channel(found.name, leads, lead)
    if header.units[channel] != "mV":
        raise RecordError(
            f"{found.name} is in {header.units[channel]}, not mV: choose an ECG lead."
        )
    # A header may leave the length to the file, as those of captured records do.
    whole = header.sig_len is not None
    length = header.sig_len if whole else _size(found.path.parent / header.file_name[channel])
    if not 0 < length <= MAX_SAMPLES:
        raise RecordError(f"{found.name} has no samples that could be read: check its header.")
    record = _signal(found, channel, checked=whole)
    physical: NDArray[np.float64] = record.dac()[:, 0]
    valid = np.isfinite(physical)
    # Counts from 0 mV, not from the ADC's baseline, may need more than 16 bits: then coarser ones.
    peak = max(float(np.max(np.abs(physical), where=valid, initial=0.0)), 1e-9)
    gain = min(abs(float(record.adc_gain[0])), MAX_COUNT / peak)
    rate = float(record.fs or 0)
    if not (0 < rate < math.inf and gain >= MIN_GAIN):
        raise RecordError(
            f"{found.name} has a sampling rate or gain that cannot be: check its header."
        )
    counts = np.rint(physical * gain)
    return Record(
        name=found.name,
        wearer=found.wearer,
        rate=rate,
        gain=gain,
        lead=leads[channel][:8],
        samples=np.where(valid, counts, NO_VALUE).astype(np.int16),
        annotations=_annotations(found, len(counts)),
    )


def verify(found: Found) -> None:
    """Check every signal of a record against its header's checksums; raise `RecordError`."""
    for channel in range(read_header(found).n_sig):
        _signal(found, channel)


def read_header(found: Found) -> Any:  # noqa: ANN401 - wfdb publishes no types
    """Read a record's header; raise `RecordError` if that cannot be done."""
    try:
        header = wfdb.rdheader(str(found.path))
    except Exception as error:  # wfdb raises whatever its parser hits
        raise RecordError(f"The header of {found.name} cannot be read: {error}.") from error
    if not getattr(header, "sig_name", None):
        raise RecordError(f"{found.name} has no signals: give a single-segment WFDB record.")
    return header


def _signal(found: Found, channel: int, *, checked: bool = True) -> Any:  # noqa: ANN401 - wfdb publishes no types
    """Read one channel, digital, and check it against the header, if that knows all samples."""
    try:
        record = wfdb.rdrecord(str(found.path), channels=[channel], physical=False)
    except Exception as error:  # wfdb raises whatever its parser hits
        raise RecordError(
            f"The signal of {found.name} cannot be read (its .dat file is missing, truncated or "
            f"damaged): copy or fetch it again. ({_sentence(error)})"
        ) from error
    known = checked and record.checksum[0] is not None
    # A header that was never told of its samples has zeros for the first one and the sum of all
    # (PTB's s0017lre and s0043lre).
    if record.checksum[0] == record.init_value[0] == 0 != record.d_signal[0, 0]:
        known = False
    if known and record.calc_checksum()[0] != record.checksum[0] % 65536:
        raise RecordError(
            f"The signal of {found.name} does not match the checksum in its header: copy or "
            "fetch it again."
        )
    return record


def _size(path: Path) -> int:
    """Return a file's bytes, as many samples as it can hold; 0 if it is none."""
    return path.stat().st_size if path.is_file() else 0


def _annotations(found: Found, length: int) -> Annotations | None:
    """Read a record's annotations, but for those past its end: they are of another signal."""
    path: Path = found.path.with_name(found.path.name + ".atr")
    if not path.is_file():
        return None
    try:
        marks, _ = load(path)
    except (OSError, ValueError) as error:
        raise RecordError(
            f"The annotations of {found.name} cannot be read: copy or fetch {path.name} again."
        ) from error
    marks = [mark for mark in marks if mark.sample < length]
    samples = np.array([mark.sample for mark in marks], dtype=np.int64)
    return Annotations(samples, tuple(symbol(mark) for mark in marks))


def _channel(name: str, leads: list[str], wanted: str | None) -> int:
    if wanted is None:
        return next((i for i, lead in enumerate(leads) if lead in LEAD_II), 0)
    if (lead := _printable(wanted, 0)) in leads:
        return leads.index(lead)
    if wanted in (numbers := [str(i) for i in range(1, len(leads) + 1)]):
        return numbers.index(wanted)
    raise RecordError(f"{name} has no lead {wanted}: choose one of {', '.join(leads)}.")


def _printable(name: str | None, number: int) -> str:
    """Return the name of a lead as frames carry it: without blanks, and never empty."""
    return "".join(c if "!" <= c <= "~" else "_" for c in name or f"lead{number}")


def _sentence(error: Exception) -> str:
    return " ".join(str(error).split())[:160]
