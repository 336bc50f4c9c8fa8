"""Wrong V and S beats by cause, as annotations and beats around tell it: docs/results/beats.md."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final

from beats_judged import Judging

from ecgmon.core.constants import RATE
from ecgmon.records.fetch import obtain
from ecgmon.records.formats.wfdb.annotations import Annotation, symbol
from ecgmon.records.formats.wfdb.header import read_header
from trainer.evaluation.ec57.comparison import to_marks
from trainer.evaluation.ec57.counts import EXCUSED, Pair, pairs
from trainer.evaluation.ec57.files import read_annotations
from trainer.evaluation.ec57.marks import CLASSES
from trainer.evaluation.ec57.matching import LEARNING

WORST: Final = 10
"""Records that are looked at."""
FIBRILLATION: Final = ("(AFIB", "(AFL")
AFTER_WIDE: Final = round(0.5 * RATE)
"""A second find within this of a V beat is its T wave or the rest of its QRS complex."""
EARLY: Final = 0.9
"""Share of the usual RR interval below which a beat is early."""
USUAL_OF: Final = 16
"""RR intervals whose median is the usual one."""


@dataclass(frozen=True, slots=True)
class Around:
    """What the annotations say around a beat.

    Parameters
    ----------
    symbol : str
        The beat's own; empty where there is none.
    before : str
        The symbol of the beat before.
    share : float
        Its RR interval over the usual one before it.
    follows : int
        Samples since the beat before.
    fibrillation : bool
        Whether the atria fibrillate or flutter.
    """

    symbol: str
    before: str
    share: float
    follows: int
    fibrillation: bool


def wrong_beats(one: Judging) -> Counter[str]:
    """Count the wrong V and S beats of a record after the first five minutes, by cause."""
    found = obtain(one.record)
    header = read_header(found)
    stop = round((header.length or 0) * RATE / header.rate)
    experts = read_annotations(found.path.with_name(f"{found.path.name}.atr"), header.rate, "")
    published = read_annotations(one.file, header.rate, "")
    of_beats = [each for each in experts if symbol(each) in CLASSES]
    counts = Counter(CLASSES[symbol(each)] for each in of_beats)
    blocked = sum(symbol(each) in "LR" for each in of_beats) > len(of_beats) / 3
    causes: Counter[str] = Counter()
    for pair in pairs(to_marks(experts, stop), to_marks(published, stop), LEARNING):
        if _is_wrong(pair):
            around = _around(pair, experts, of_beats)
            causes[cause(pair, around, mostly_s=counts["S"] > counts["N"], blocked=blocked)] += 1
    return causes


def cause(pair: Pair, around: Around, *, mostly_s: bool, blocked: bool) -> str:
    """Return the first cause that applies to a wrong beat.

    Parameters
    ----------
    pair : Pair
        What both say of it.
    around : Around
        What the annotations say around it.
    mostly_s : bool
        Whether the wearer has more S beats than N.
    blocked : bool
        Whether bundle branch block is the wearer's rule.
    """
    true, called = pair.reference, pair.test
    if called == "X":
        return "in a second that is called noisy or absent"
    if called == "O":
        return f"{true}: not found"
    if true in "OX":
        after_wide = around.before in "VFE" and around.follows <= AFTER_WIDE
        return f"{called}: found twice, after a wide beat" if after_wide else f"{called}: no beat"
    if true == "N" and called == "S" and around.fibrillation:
        return "N called S: fibrillation"
    if true == "S" and called == "N":
        if mostly_s:
            return "S called N: most beats of the wearer are S"
        if around.share >= EARLY:
            in_run = CLASSES.get(around.before) == "S"
            return "S called N: in a run" if in_run else "S called N: not early"
        return "S called N: early"
    if true == "S":
        return "S called V: aberrant" if around.symbol == "a" else f"S called {called}"
    if true == "V":
        early = "early" if around.share < EARLY else "not early"
        return f"V called {called}: {early}"
    if called == "V" and blocked:
        return f"{true} called V: bundle branch block"
    return f"{true} called {called}: {'early' if around.share < EARLY else 'not early'}"


def cause_rows(judged: Mapping[str, Judging]) -> Iterator[list[str]]:
    """Yield the worst records: wrong beats, and their causes, the most frequent first."""
    each = {record: wrong_beats(one) for record, one in judged.items()}
    worst = sorted(each, key=lambda record: (-each[record].total(), record))[:WORST]
    total: Counter[str] = Counter()
    for record in worst:
        total += each[record]
        yield [record, f"{each[record].total():,}", _said(each[record])]
    everyone = sum(each.values(), Counter[str]())
    yield [f"these {WORST}", f"{total.total():,}", _said(total, 12)]
    yield [f"all {len(each)}", f"{everyone.total():,}", _said(everyone, 12)]


def _said(causes: Counter[str], most: int = 4) -> str:
    return "; ".join(f"{name} ({count:,})" for name, count in causes.most_common(most))


def _is_wrong(pair: Pair) -> bool:
    """Tell whether a beat counts against the F1 of V or S."""
    true, called, _ = pair
    if true == called:
        return False
    missed = true in "VS"
    false = called in EXCUSED and true not in EXCUSED[called]
    return missed or false


def _around(pair: Pair, experts: Sequence[Annotation], beats: Sequence[Annotation]) -> Around:
    at = pair.sample
    until = bisect_right(beats, at, key=lambda each: each.sample)
    own = symbol(beats[until - 1]) if until and beats[until - 1].sample == at else ""
    last = until - 2 if own else until - 1
    samples = [each.sample for each in beats[max(last - USUAL_OF, 0) : last + 1]]
    between = [after - before for before, after in pairwise(samples)]
    usual = median(between) if between else RATE
    follows = at - samples[-1] if samples else RATE
    notes = [each.note.rstrip("\0") for each in experts if each.sample <= at]
    rhythm = next((note for note in reversed(notes) if note.startswith("(")), "")
    before = symbol(beats[last]) if last >= 0 else ""
    return Around(own, before, follows / usual, follows, rhythm in FIBRILLATION)
