"""The beats that openecg's pretrained models call ventricular: docs/results/beats-openecg.json.

Run by ``make beats-openecg``: half an hour on two cores. openecg 0.11.0 (PyPI, Apache-2.0) comes by
the bench extra; it adds one small package and changes no version of ours. Its models read lead II
at 500 Hz in windows of ten seconds that overlap by four, and normalise each by rank themselves.
They see at least two seconds after each beat, so this is no live comparison.

Beats are those of the reference: openecg is asked for classes, not for places. Its class
is the one that most samples within `REACH` have, unless they have none: then it is normal. The
first five minutes do not count, as EC57 asks. There is no class of supraventricular beats.
"""

import json
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
import openecg
from numpy.typing import NDArray
from openecg.layered import BEAT_FUSION, BEAT_NONE, BEAT_PACED, BEAT_UNKNOWN, BEAT_VPC
from scipy.signal import resample_poly

from ecgmon.core.constants import RATE
from ecgmon.records.fetch import obtain
from ecgmon.records.formats.wfdb.annotations import load, symbol
from ecgmon.records.read import read
from trainer.data.protocol_splits import DS2
from trainer.evaluation.ec57.counts import Counts
from trainer.evaluation.ec57.marks import Marks, marks
from trainer.evaluation.ec57.matching import LEARNING
from trainer.evaluation.results.digest import digest
from trainer.evaluation.results.store import ResultStore, StoredResult

OUT: Final = Path(__file__).parents[1] / "docs" / "results" / "beats-openecg.json"
KEPT: Final = Path(__file__).parents[1] / "runs" / "beats-openecg"
VERSIONS: Final = ("v5", "v6")
THEIR_RATE: Final = 500
REACH: Final = round(0.06 * THEIR_RATE)
"""Their samples on each side of a beat that vote: the width of a QRS complex, 120 ms."""
CLASSES: Final = {BEAT_VPC: "V", BEAT_FUSION: "F", BEAT_PACED: "Q", BEAT_UNKNOWN: "Q"}
"""EC57's class of each of theirs; all others are N."""


@cache
def model(version: str) -> object:
    """Load a model that lies in the wheel."""
    return openecg.load_codec_onnx(version=version)


def judge(version: str, name: str) -> Counts:
    """Compare a model's classes of a record's reference beats with the reference."""
    found = obtain(f"mitdb/{name}")
    record = read(found)
    signal = resample_poly(record.millivolts(), 25, 18)  # 360 Hz to 500 Hz
    codec = openecg.encode_stream(signal, fs=THEIR_RATE, model=model(version))
    reference = marks(
        (
            (one.sample, symbol(one), one.subtype)
            for one in load(found.path.with_name(f"{name}.atr")).marks
        ),
        len(record.samples),
    )
    called = "".join(voted(codec.beat, int(at)) for at in reference.beats)
    return Counts.compare(reference, Marks(reference.beats, called), LEARNING, len(record.samples))


def counts_of(version: str, name: str) -> Counts:
    """Return what `judge` counts; what an interrupted run has counted is not counted again."""
    store = ResultStore(KEPT)
    decided_by = digest({"openecg": openecg.__version__, "reach": REACH})
    stored = store.valid(f"{version}-{name}", decided_by)
    if stored is None:
        stored = StoredResult(judge(version, name).matrix.tolist(), decided_by)
        store.put(f"{version}-{name}", stored)
    return Counts(np.array(stored.result, dtype=np.int64))


def voted(labels: NDArray[np.uint8], at: int) -> str:
    """Return the class of a beat at a sample at 360 Hz."""
    centre = round(at * THEIR_RATE / RATE)
    votes = Counter(labels[max(centre - REACH, 0) : centre + REACH + 1].tolist())
    del votes[BEAT_NONE]
    return CLASSES.get(votes.most_common(1)[0][0], "N") if votes else "N"


def main() -> None:
    """Judge DS2 with each model, and write and print the figures."""
    jobs = list(product(VERSIONS, DS2))
    with ProcessPoolExecutor(2) as pool:
        counted = dict(zip(jobs, pool.map(counts_of, *zip(*jobs, strict=True)), strict=True))
    result = {}
    for version in VERSIONS:
        total = sum((counted[version, name] for name in DS2), Counts())
        result[version] = total.everything() | {
            "per_record": {name: counted[version, name].figures()["V"] for name in DS2}
        }
        print(f"{version}: {total.figures()['V']}", flush=True)  # noqa: T201 - a benchmark's output
    OUT.write_text(json.dumps({"openecg": openecg.__version__, "DS2": result}, indent=1) + "\n")


if __name__ == "__main__":
    main()
