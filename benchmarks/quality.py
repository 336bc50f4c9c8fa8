"""Value and cost of the signal state of a second: writes docs/results/quality.md.

Run by ``make quality``: some minutes. The noise is that of the MIT-BIH Noise Stress Test Database.
"""

from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import groupby, product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.annotations import Annotations
from ecgmon.core.constants import RATE, WINDOW
from ecgmon.core.labels import AAMI_CLASSES, is_beat
from ecgmon.records import Record
from ecgmon.records.fetch import obtain
from ecgmon.records.read import read
from ecgmon.signal import Geometry, SignalChain
from monitor.wearers.second_lead import trust
from trainer.data.protocol_splits import DS1, DS2
from trainer.evaluation.qrs import errors, in_flutter

PAGE = Path(__file__).parents[1] / "docs" / "results" / "quality.md"
SETS = {"DS1": DS1, "DS2": DS2}
KINDS = {"em": "electrode motion", "ma": "muscle artefact", "bw": "baseline wander"}
LEVELS_DB = (12, 6, 0)
PIECES = 300
TRIMMED = 0.05
HEAD = """# Signal quality

Which seconds the monitor calls *noisy*: how many of good ECG it gives up (cost), and how many of
those it finds in which noise spoils the beats (value).

    make quality

## Cost

Seconds of the records as they are that are called noisy. Most are of the noisy minutes of 105 and
108.

| | all | ventricular | supraventricular | tachycardia | flutter |
|---|---:|---:|---:|---:|---:|
"""
NOISE = """
- **Data**: lead II of the 44 records of the MIT-BIH Arrhythmia Database without paced beats, whole.
- **Choice**: thresholds were chosen by the figures of DS1, and so that fast atrial fibrillation,
  put together from the records' own beats, is not noise.
- *Ventricular*: with a beat of the AAMI classes V or F. *Tachycardia*: in a run of three or more
  ventricular beats. *Flutter*: 207.

## Value

Seconds of the same records with noise of the MIT-BIH Noise Stress Test Database added to every
second.

| | noise | | called noisy | wrong | of these noisy | of the others noisy |
|---|---|---:|---:|---:|---:|---:|
"""
TRUST = """
## Trust

How far the beats of a second are believed (`monitor/wearers/second_lead.py`), and how many of such
seconds are wrong, as above. All levels of each noise together. A wearer's second lead is judged
while its trust is clearly higher.

| | noise | trust | seconds | wrong |
|---|---|---:|---:|---:|
"""
BANDS = {"0": (0.0, 0.0), "up to half": (0.0, 0.5), "less than 1": (0.5, 0.999), "1": (0.999, 1.0)}
"""Names of the bands of trust, each above its first number and up to the second."""
REMARKS = """
- *Wrong*: seconds in which a beat is missed, or a beat is found that is none.
- **Strength of the noise**, as `nst` makes it: the signal's power is an eighth of the squared
  peak-to-peak amplitude of normal QRS complexes; the noise's power is the mean square of one-second
  pieces.
"""


def trimmed_mean(values: NDArray[np.float64]) -> float:
    """Return the mean without the largest and the smallest values, as nst has it."""
    ordered, cut = np.sort(values), round(TRIMMED * len(values))
    return float(ordered[cut : len(ordered) - cut].mean())


def noisy(record: Record, kind: str, level_db: float) -> NDArray[np.float64]:
    """Return a record in mV with noise of a kind at a signal-to-noise ratio in dB."""
    clean, noise = record.millivolts(), read(obtain(f"nstdb/{kind}")).millivolts()
    symbols, at = np.array(record.annotations.symbols), record.annotations.samples
    normal = (
        at[symbols == "N"] if sum(symbols == "N") >= PIECES else at[is_beat(record.annotations)]
    )
    reach = round(0.05 * RATE)
    normal = normal[(normal >= reach) & (normal < len(clean) - reach)][:PIECES]
    height = trimmed_mean(np.array([np.ptp(clean[beat - reach : beat + reach]) for beat in normal]))
    pieces = noise[: PIECES * RATE].reshape(PIECES, RATE)
    power = trimmed_mean(pieces.std(axis=1)) ** 2
    gain = np.sqrt(height**2 / 8 / power / 10 ** (level_db / 10))
    return clean + gain * np.resize(noise, len(clean))


def kinds_of_seconds(annotations: Annotations, seconds: int) -> dict[str, NDArray[np.bool_]]:
    """Tell which seconds hold what."""
    of = {name: np.zeros(seconds + 1, dtype=bool) for name in ("V", "S", "run")}
    beats = [
        (int(at) // WINDOW, AAMI_CLASSES[symbol])
        for at, symbol in zip(annotations.samples, annotations.symbols, strict=True)
        if symbol in AAMI_CLASSES
    ]
    for ventricular, group in groupby(beats, lambda beat: beat[1] == "V"):
        run = list(group)
        if ventricular and len(run) >= 3:
            of["run"][run[0][0] : run[-1][0] + 1] = True
    for at, aami in beats:
        of["V"][at] |= aami in "VF"
        of["S"][at] |= aami == "S"
    middles = np.arange(seconds + 1) * WINDOW + WINDOW // 2
    of["flutter"] = in_flutter(annotations, middles)
    return {name: which[:seconds] for name, which in of.items()}


def judge(name: str, kind: str | None, level_db: float) -> Counter[str]:
    """Count a record's seconds."""
    record = read(obtain(f"mitdb/{name}"))
    signal = record.millivolts() if kind is None else noisy(record, kind, level_db)
    chain = SignalChain(Geometry(0, 0, 120), 1)
    seconds = chain.push(np.zeros(1, dtype=np.intp), signal[None]).seconds
    called = np.array([second.state == "noisy" for second in seconds])
    found = np.array([beat for second in seconds for beat in second.beats])
    of = kinds_of_seconds(record.annotations, len(called)) | {"all": np.ones_like(called)}
    of["wrong"] = np.zeros_like(called)
    at = np.concatenate(errors(record.annotations, found)) // WINDOW
    of["wrong"][at[at < len(called)]] = True
    of["right"] = ~of["wrong"]
    believed = np.array([trust(second) for second in seconds])
    of |= {
        f"trust {band}": (believed > low if high else believed == 0) & (believed <= high)
        for band, (low, high) in BANDS.items()
    }
    of |= {f"wrong, {name}": of[name] & of["wrong"] for name in of if name.startswith("trust")}
    counts = Counter({key: int(which.sum()) for key, which in of.items()})
    return counts + Counter({f"noisy {key}": int(sum(which & called)) for key, which in of.items()})


def percent(counts: Counter[str], part: str, overall: str) -> str:
    """Return a share for the tables."""
    return f"{100 * counts[part] / counts[overall]:.2f} %" if counts[overall] else "-"


def of_all(counts: Counter[str], kind: str) -> str:
    """Return how many seconds of a kind are called noisy."""
    share = f" ({percent(counts, f'noisy {kind}', kind)})" if counts[kind] else ""
    return f"{counts[f'noisy {kind}']:,} of {counts[kind]:,}{share}"


if __name__ == "__main__":
    conditions = [(None, 0.0), *product(KINDS, LEVELS_DB)]
    jobs = [(name, *which) for names in SETS.values() for which in conditions for name in names]
    with ProcessPoolExecutor(2) as pool:
        done = dict(zip(jobs, pool.map(judge, *zip(*jobs, strict=True)), strict=True))
    costs, finds = "", ""
    for name, names in SETS.items():
        for kind, level in conditions:
            counts = sum((done[record, kind, level] for record in names), Counter())
            if kind is None:
                figures = (of_all(counts, each) for each in ("all", "V", "S", "run", "flutter"))
                costs += f"| {name} | {' | '.join(figures)} |\n"
                continue
            shares = (
                ("noisy all", "all"),
                ("wrong", "all"),
                *((f"noisy {w}", w) for w in ("wrong", "right")),
            )
            row = " | ".join(percent(counts, *share) for share in shares)
            finds += f"| {name} | {KINDS[kind]} | {level} dB | {row} |\n"
    trusts = ""
    for name, names in SETS.items():
        for kind in (None, *KINDS):
            levels = [level for one, level in conditions if one == kind]
            counts = sum((done[record, kind, x] for record in names for x in levels), Counter())
            for band in BANDS:
                part = f"trust {band}"
                wrong = percent(counts, f"wrong, {part}", part)
                noise = KINDS.get(kind or "", "none")
                trusts += f"| {name} | {noise} | {band} | {counts[part]:,} | {wrong} |\n"
    PAGE.write_text(HEAD + costs + NOISE + finds + REMARKS + TRUST + trusts)
