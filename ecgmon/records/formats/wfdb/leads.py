"""Choosing a lead of a record by its name or number, and what its unit is in millivolts."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Final

from ecgmon.core.errors import RecordError
from ecgmon.records.formats.wfdb.header import SignalEntry

LEAD_II: Final = ("mlii", "ii")
"""Lead II of the chest (modified) and of the limbs, as `_plain` writes them."""
_UNIT: Final = re.compile(r"(m|milli|u|mu|\u03bc|micro|n|nano|)[ _-]?v(?:olts?)?")
_MILLIVOLTS: Final = {"": 1e3, "m": 1.0, "u": 1e-3, "n": 1e-6}
_LONG: Final = {"milli": "m", "mu": "u", "\u03bc": "u", "micro": "u", "nano": "n"}
_ECG: Final = re.compile("ecg|ekg")
_NO_ECG: Final = re.compile("eeg|emg|eog|resp|pleth|ppg")
"""What else may be measured in volts."""


def millivolts(unit: str) -> float | None:
    """Return how many millivolts a unit is, however it is written; None if it is no voltage.

    Parameters
    ----------
    unit : str
        As in a header; empty means mV.
    """
    written = unicodedata.normalize("NFKC", unit).casefold().strip(",;.:")
    if not written:
        return 1.0
    match = _UNIT.fullmatch(written)
    return None if match is None else _MILLIVOLTS[_LONG.get(match[1], match[1])]


def names(signals: Sequence[SignalEntry]) -> list[str]:
    """Return what leads are called in frames: without blanks, and never empty."""
    return [_printable(signal.name) or f"lead{i}" for i, signal in enumerate(signals, start=1)]


def choose(record: str, signals: Sequence[SignalEntry], lead: str | None) -> int:
    """Return which signal is meant.

    Parameters
    ----------
    record : str
        Name of the record.
    signals : sequence of SignalEntry
        Its signals.
    lead : str, optional
        A name as in the header or in frames (of several of one name the first), in capitals or
        small letters, or a number counted from 1, if it is no name. Without it lead II, else the
        first ECG, in the order of the header.

    Raises
    ------
    RecordError
        If there is no such lead, or it is no voltage.
    """
    there = names(signals)
    if lead is None:
        return _default(record, signals)
    stripped = unicodedata.normalize("NFC", lead).strip()
    numbers = [str(i) for i in range(1, len(signals) + 1)]
    ways: tuple[tuple[Sequence[str], Callable[[str], str]], ...] = (
        ([unicodedata.normalize("NFC", signal.name) for signal in signals], str),
        (there, _printable),
        (there, lambda name: _printable(name).casefold()),
    )
    for known, write in ways:
        written = [write(name) for name in known]
        if stripped and write(stripped) in written:
            return _voltage(record, signals, there, written.index(write(stripped)))
    if stripped in numbers:
        return _voltage(record, signals, there, int(stripped) - 1)
    plain = [_plain(signal.name) for signal in signals]
    if _plain(stripped) and _plain(stripped) in plain:
        return _voltage(record, signals, there, plain.index(_plain(stripped)))
    raise RecordError(f"{record} has no lead {lead}: choose one of {', '.join(there)}.")


def ecgs(signals: Sequence[SignalEntry]) -> list[str]:
    """Return the numbers, counted from 1, of the leads that are ECGs: the usual one first."""
    volts = [i for i, signal in enumerate(signals) if _is_voltage(signal)]
    return [str(i + 1) for i in _in_order(signals, volts)]


def _in_order(signals: Sequence[SignalEntry], volts: Sequence[int]) -> list[int]:
    """Return which voltages may be ECGs: lead II, then those that say so, then the others."""
    plain = {i: _plain(signals[i].name) for i in volts}
    lead_ii = [i for i in volts if plain[i] in LEAD_II]
    ecg = [i for i in volts if _ECG.search(signals[i].name.casefold())]
    others = [i for i in volts if not _NO_ECG.search(plain[i])]
    return list(dict.fromkeys([*lead_ii, *ecg, *others]))


def _default(record: str, signals: Sequence[SignalEntry]) -> int:
    volts = [i for i, signal in enumerate(signals) if _is_voltage(signal)]
    if not volts:
        listed = ", ".join(
            f"{name} ({signal.unit})" for name, signal in zip(names(signals), signals, strict=True)
        )
        raise RecordError(f"{record} has no lead in volts, but {listed}: choose another record.")
    return [*_in_order(signals, volts), *volts][0]


def _voltage(
    record: str, signals: Sequence[SignalEntry], there: Sequence[str], channel: int
) -> int:
    signal = signals[channel]
    if _is_voltage(signal):
        return channel
    volts = [name for name, other in zip(there, signals, strict=True) if _is_voltage(other)]
    what = f"is in {signal.unit}, not in volts" if signal.has_samples else "holds no samples"
    raise RecordError(
        f"Lead {there[channel]} of {record} {what}: choose "
        f"{'one of ' + ', '.join(volts) if volts else 'another record'}."
    )


def _is_voltage(signal: SignalEntry) -> bool:
    return signal.has_samples and millivolts(signal.unit) is not None


def _printable(name: str) -> str:
    return "".join(c if "!" <= c <= "~" else "_" for c in name)


def _plain(name: str) -> str:
    """Return the letters and digits of a name in small letters, without "ECG" or "lead"."""
    letters = "".join(c for c in unicodedata.normalize("NFKC", name).casefold() if c.isalnum())
    return letters.removeprefix("ecg").removeprefix("ekg").removeprefix("lead") or letters
