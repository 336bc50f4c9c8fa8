"""Named rhythms by a literal reading of their rules, over the whole sequence for each beat.

Slow and simple on purpose, and without a line of the table's own code.
"""

from collections import defaultdict
from itertools import pairwise

WORST_FIRST = (
    "ventricular-tachycardia",
    "idioventricular-rhythm",
    "ventricular-run",
    "heart-pause",
    "r-on-t",
    "supraventricular-run",
    "couplet",
    "bigeminy",
    "trigeminy",
    "ectopics-minute",
    "ectopics-hour",
)
SECOND = 360
LINGERS = {"ectopics-minute": 60 * SECOND, "ectopics-hour": 600 * SECOND}
ORDER = ("off", "low", "medium", "high")


def priority(limits, kind):
    return getattr(limits, kind.replace("-", "_"))


def lingers(kind):
    return LINGERS.get(kind, 10 * SECOND)


def stretches(events, known):
    """Beats that follow each other, and the index that ended them; None if nothing has.

    An event is (index, class, RR interval) of a beat, or (index, None, None) of an interruption.
    """
    found, beats = [], []
    for at, label, rr in [*events, (known + 1, None, None)]:
        silent = beats[-1][0] + 4 * SECOND if beats else None
        if beats and silent <= min(at, known):
            found.append((beats, silent))
            beats = []
        if label is None or rr is None:
            if beats:
                found.append((beats, at if at <= known else None))
            beats = []
        if label is not None:
            letter = {"N": "N", "Q": "N", "S": "S", "V": "V", "F": "V"}[label]
            beats = [*beats, (at, letter, rr if beats else None)]
    return found


def in_a_row(letters):
    """Return the number of equal letters at the end."""
    return len(letters) - len(letters.rstrip(letters[-1])) if letters else 0


def fulfilled(limits, events, known):
    """Return each index at which something is fulfilled, with the kinds, in order."""
    found = []
    every = stretches([event for event in events if event[0] <= known], known)
    all_beats = [beat for beats, _ in every for beat in beats]
    for beats, end in every:
        letters = "".join(letter for _, letter, _ in beats)
        for i, (at, letter, rr) in enumerate(beats):
            kinds, so_far = set(), letters[: i + 1]
            if letter == "V":
                n = limits.ventricular_tachycardia_beats
                if in_a_row(so_far) >= n:
                    seconds = (at - beats[i - n + 1][0]) / SECOND
                    fast = 60 * (n - 1) / seconds >= limits.ventricular_tachycardia_rate
                    kinds.add("ventricular-tachycardia" if fast else "idioventricular-rhythm")
                if so_far.endswith("NVNVNV"):
                    kinds.add("bigeminy")
                if so_far.endswith("NNVNNVNNV"):
                    kinds.add("trigeminy")
            elif letter == "S":
                n = limits.supraventricular_run_beats
                if in_a_row(so_far) >= n:
                    seconds = (at - beats[i - n + 1][0]) / SECOND
                    first = beats[i - in_a_row(so_far) + 1]
                    usual = usual_rr(every, first[0])
                    in_time = None not in (first[2], usual) and first[2] > 0.9 * usual
                    fast = 60 * (n - 1) / seconds >= limits.supraventricular_run_rate
                    if fast and not in_time:
                        kinds.add("supraventricular-run")
            if letter != so_far[-2:-1]:
                kinds |= ended(limits, so_far[:-1])
            usual = usual_rr(every, at)
            if rr is not None and usual is not None:
                if i and beats[i - 1][1] == "V" and beats[i - 1][2] is not None:
                    early = beats[i - 1][2]
                    on_t = early / SECOND <= min(0.39, 0.45 * usual / SECOND)
                    if on_t and (letter == "V" or early + rr >= 1.25 * usual):
                        kinds.add("r-on-t")
                late = 1.0 if 60 * SECOND / usual > 120 else 1.75 * usual / SECOND
                if rr / SECOND >= late:
                    kinds.add("heart-pause")
            if letter != "N":
                kinds |= frequent(limits, all_beats, at)
            found.append((at, kinds))
        if end is not None:
            found.append((end, ended(limits, letters)))
    return found


def ended(limits, letters):
    n = in_a_row(letters)
    if not letters.endswith("V") or n < 2 or n >= limits.ventricular_tachycardia_beats:
        return set()
    return {"couplet"} if n == 2 else {"ventricular-run"}


def usual_rr(every, until):
    """The lower median of the last eight intervals between two normal beats before one."""
    intervals = [
        rr
        for beats, _ in every
        for (_, before, _), (at, letter, rr) in pairwise(beats)
        if before == letter == "N" and at < until
    ]
    return sorted(intervals[-8:])[3] if len(intervals) >= 8 else None


def frequent(limits, all_beats, until):
    """Ectopic beats within the last minute and hour, of a wearer that has been learned."""
    counts = defaultdict(int)
    for number, (at, letter, _) in enumerate(all_beats, 1):
        learnt = number >= 30 or at - all_beats[0][0] >= 60 * SECOND
        for kind, span in (("ectopics-minute", 60), ("ectopics-hour", 3600)):
            counts[kind] += learnt and letter != "N" and until - span * SECOND < at <= until
    return {
        kind
        for kind, count in counts.items()
        if count > getattr(limits, f"{kind.replace('-', '_')}_beats")
    }


def announced(limits, events, known):
    """Return when each kind begins and ends, as (holds, at), row by row from the worst."""
    moments = fulfilled(limits, events, known)
    spans = {}  # kind -> [number of the moment at which it begins, index at which it ends]
    for rank, kind in enumerate(WORST_FIRST):
        own, spans[kind] = priority(limits, kind), []
        for number, (at, kinds) in enumerate(moments):
            if kind not in kinds or own == "off":
                continue
            if spans[kind] and at <= spans[kind][-1][1]:
                spans[kind][-1][1] = at + lingers(kind)
            elif not any(
                begins <= number and at <= ends
                for worse in WORST_FIRST[:rank]
                for begins, ends in spans[worse]
                if own != "high" and ORDER.index(priority(limits, worse)) >= ORDER.index(own)
            ):
                spans[kind].append([number, at + lingers(kind)])
    return {
        kind: [
            change
            for begins, ends in found
            for change in ((True, moments[begins][0]), (False, ends))
            if change[1] <= known
        ]
        for kind, found in spans.items()
        if found
    }
