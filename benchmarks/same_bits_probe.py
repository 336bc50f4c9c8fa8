"""Writes the filtered samples and the beats of a record, as the chain of one build gives them.

Run by `benchmarks/same_bits.py` in a process that imports the build in question:

    python same_bits_probe.py RECORD FILE.npz

A beat is given as twice its sample index, one more if it is strong.

The path is that of a monitor: counts of the device to millivolts, pacing spikes out (not in
4ca67f9), then the signal chain with the generic model's geometry, a second in each call.
"""

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgmon.records import Record
from ecgmon.records.fetch import obtain
from ecgmon.records.read import read
from ecgmon.signal import Geometry, SignalChain

WINDOW = 360
GEOMETRY = Geometry(history_s=3, look_ahead_s=0.5, rate=120)


def pieces(record: Record) -> Iterator[tuple[NDArray[np.float64], list[Any]]]:
    """Yield the samples in mV of each second, and the further inputs of this build's chain."""
    samples = record.samples
    try:
        from ecgmon.signal.front_end import FrontEnd
    except ModuleNotFoundError:  # 4ca67f9: at 360 Hz its rate converter passes all unchanged
        from ecgmon.records import millivolts  # type: ignore[attr-defined]

        for at in range(0, len(samples), WINDOW):
            yield millivolts(samples[at : at + WINDOW], record.gain), []
        return
    front, step = FrontEnd(WINDOW * 1000), np.full(1, 1 / record.gain)
    for at in range(0, len(samples), WINDOW):
        first = front.next
        values = front.push(samples[at : at + WINDOW], record.gain)
        found = [at for at in front.found if first <= at < first + len(values)]
        yield values, [step, [found]]
    yield front.flush(), [step, [[]]]


def main() -> None:
    """Run the chain over the record."""
    chain, row = SignalChain(GEOMETRY, 1), np.zeros(1, dtype=np.intp)
    filtered, beats = [], []
    for values, more in pieces(read(obtain(sys.argv[1]))):
        for second in chain.push(row, values[None], *more).seconds:
            strong = second.strong
            beats += [2 * beat + (beat in strong) for beat in second.beats]
        filtered.append(chain.recent(0, len(values)))
    np.savez(sys.argv[2], filtered=np.concatenate(filtered), beats=np.array(beats))


if __name__ == "__main__":
    main()
