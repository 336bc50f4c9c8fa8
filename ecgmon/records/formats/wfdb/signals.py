"""WFDB signal files: the samples of one signal in any storage format, as they are stored."""

import errno
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.records.formats.wfdb.header import SignalEntry

_BLOCK: Final = 1_000_000
"""Samples decoded at once, so that the memory of a call is bounded."""

Samples = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class _Format:
    """A storage format: units of some bytes that hold some samples.

    Parameters
    ----------
    samples, size : int
        Samples and bytes of a unit.
    decode : callable
        From the bytes of whole units, shape (n, size), to samples, shape (n, samples).
    missing : int or None
        Value that stands where nothing was measured.
    left : tuple of int
        How many samples the first bytes of a unit hold, by the number of bytes.
    """

    samples: int
    size: int
    decode: Callable[[NDArray[np.uint8]], NDArray[np.int32]]
    missing: int | None
    left: tuple[int, ...] = (0, 0, 0, 0)


def _integers(dtype: str, offset: int = 0) -> Callable[[NDArray[np.uint8]], Samples]:
    return lambda units: units.view(dtype).astype(np.int32) - offset


def _24(units: NDArray[np.uint8]) -> Samples:
    wide = np.zeros((len(units), 4), dtype=np.uint8)
    wide[:, 1:] = units
    return wide.view("<i4") >> 8


def _212(units: NDArray[np.uint8]) -> Samples:
    a, b, c = units.astype(np.int32).T
    return _signed(np.stack([a | (b & 0x0F) << 8, c | (b & 0xF0) << 4], axis=1), 12)


def _310(units: NDArray[np.uint8]) -> Samples:
    a, b = units.view("<u2").astype(np.int32).T
    third = a >> 11 | (b >> 11) << 5
    return _signed(np.stack([a >> 1 & 0x3FF, b >> 1 & 0x3FF, third], axis=1), 10)


def _311(units: NDArray[np.uint8]) -> Samples:
    word = units.view("<u4").astype(np.int64)
    return _signed(np.concatenate([word >> at & 0x3FF for at in (0, 10, 20)], axis=1), 10)


def _signed(values: NDArray[np.int32] | NDArray[np.int64], bits: int) -> Samples:
    top = 1 << (bits - 1)
    return ((values ^ top) - top).astype(np.int32)


_FORMATS: Final = {
    "8": _Format(1, 1, _integers("i1"), None),
    "16": _Format(1, 2, _integers("<i2"), -(2**15)),
    "24": _Format(1, 3, _24, -(2**23)),
    "32": _Format(1, 4, _integers("<i4"), -(2**31)),
    "61": _Format(1, 2, _integers(">i2"), -(2**15)),
    "80": _Format(1, 1, _integers("u1", 128), -(2**7)),
    "160": _Format(1, 2, _integers("<u2", 2**15), -(2**15)),
    "212": _Format(2, 3, _212, -(2**11), (0, 0, 1)),
    "310": _Format(3, 4, _310, -(2**9), (0, 0, 1, 1)),
    "311": _Format(3, 4, _311, -(2**9), (0, 0, 1, 2)),
}
_FLAC: Final = {"508": 8, "516": 16, "524": 24}
"""Most bits of a sample in the formats in FLAC."""
_FLAC_BITS: Final = {"PCM_S8": 8, "PCM_16": 16, "PCM_24": 24}
"""Bits of a sample by what soundfile calls them."""


def frames(folder: Path, signals: Sequence[SignalEntry], channel: int) -> int:
    """Return how many whole frames the file of a signal holds.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        As `read` does.
    """
    group, _ = _group(signals, channel)
    path, first = folder / group[0].file, group[0]
    if first.format in _FLAC:
        with _flac(path, group) as file:
            return max(0, int(file.frames) - first.offset) // first.per_frame
    form = _FORMATS[first.format]
    units, rest = divmod(max(0, _size(path) - first.offset), form.size)
    samples = units * form.samples + form.left[rest]
    return samples // sum(signal.per_frame for signal in group)


def read(folder: Path, signals: Sequence[SignalEntry], channel: int, n: int) -> Samples:
    """Read a signal, every sample of every frame.

    Parameters
    ----------
    folder : Path
        Where the header is.
    signals : sequence of SignalEntry
        All of the header's: those that share a file alternate in it.
    channel : int
        Which of them.
    n : int
        Frames to read from the beginning of the file.

    Returns
    -------
    ndarray of int32, shape (n * per_frame,)
        As stored; see `missing` for what was not measured.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is too short, or its format is not known or not what it is said to be.
    """
    group, position = _group(signals, channel)
    signal, path = signals[channel], folder / signals[channel].file
    held = frames(folder, signals, channel)
    if held < n:
        raise ValueError(f"{signal.file} is truncated: it holds {held:,} of {n:,} frames")
    found = np.empty((n, signal.per_frame), dtype=np.int32)
    if signal.format in _FLAC:
        _fill_from_flac(found.reshape(-1), path, group, position)
        return found.ravel()
    width = sum(other.per_frame for other in group)
    at = sum(other.per_frame for other in group[:position])
    form = _FORMATS[signal.format]
    step = max(1, _BLOCK // width // form.samples) * form.samples  # frames of whole units
    with path.open("rb") as file:
        file.seek(group[0].offset)
        for start in range(0, n, step):
            stop = min(start + step, n)
            samples = (stop - start) * width
            units = -(-samples // form.samples)
            data = file.read(units * form.size).ljust(units * form.size, b"\0")
            decoded = form.decode(np.frombuffer(data, dtype=np.uint8).reshape(units, form.size))
            rows = decoded.ravel()[:samples].reshape(-1, width)
            found[start:stop] = rows[:, at : at + signal.per_frame]
    if signal.format == "8":
        return (np.cumsum(found.ravel(), dtype=np.int64) + signal.initial).astype(np.int32)
    return found.ravel()


def missing(samples: Samples, form: str) -> NDArray[np.bool_]:
    """Tell where nothing was measured, by the format of the file; shape (n,)."""
    value = -(1 << (_FLAC[form] - 1)) if form in _FLAC else _FORMATS[form].missing
    return np.zeros(len(samples), dtype=np.bool_) if value is None else samples == value


def _group(signals: Sequence[SignalEntry], channel: int) -> tuple[list[SignalEntry], int]:
    """Return the signals that share a file, and which of them this one is."""
    signal = signals[channel]
    if not signal.has_samples:
        raise ValueError("it has no samples")
    if signal.format not in _FORMATS and signal.format not in _FLAC:
        raise ValueError(f"format {signal.format} of {signal.file} is unknown")
    numbers = [i for i, other in enumerate(signals) if other.file == signal.file]
    group = [signals[i] for i in numbers]
    if any(other.format != signal.format for other in group):
        raise ValueError(f"its header states two formats for {signal.file}")
    return group, numbers.index(channel)


def _size(path: Path) -> int:
    """Return the bytes of a file; raises `OSError` if it is none, so that no pipe is waited for."""
    if not path.is_file():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    return path.stat().st_size


def _flac(path: Path, group: Sequence[SignalEntry]) -> Any:  # noqa: ANN401 - soundfile publishes no types
    """Open a FLAC file whose channels are the signals of a group."""
    import soundfile

    _size(path)
    try:
        file = soundfile.SoundFile(path)
    except soundfile.SoundFileError as error:
        raise ValueError(f"{path.name} is no FLAC file") from error
    bits = _FLAC_BITS.get(file.subtype, 32)
    if (
        file.format != "FLAC"
        or file.channels != len(group)
        or bits > _FLAC[group[0].format]
        or len({signal.per_frame for signal in group}) > 1
    ):
        file.close()
        raise ValueError(f"{path.name} is no FLAC file of format {group[0].format}")
    return file


def _fill_from_flac(
    found: Samples, path: Path, group: Sequence[SignalEntry], position: int
) -> None:
    import soundfile

    block = max(1, _BLOCK // len(group))
    with _flac(path, group) as file:
        bits = _FLAC_BITS[file.subtype]
        try:
            file.seek(group[0].offset)
            for start in range(0, len(found), block):
                part = found[start : start + block]
                # The samples stand in the upper bits.
                rows = file.read(len(part), dtype="int32", always_2d=True)
                part[:] = rows[:, position] >> 32 - bits
        except (soundfile.SoundFileError, ValueError) as error:
            raise ValueError(f"{path.name} is damaged") from error
