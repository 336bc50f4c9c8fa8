"""Totals of beats by a plain reading of their rules, over the whole recording at once.

Slow and simple on purpose, and without a line of the fold's own code.
"""

import re
from collections import Counter
from statistics import median_low

SECOND = 360


def stretches(events):
    """Beats that follow each other as (index, letter, interval); the first may end a long pause.

    An event is (index, class, RR interval) of a beat, or (index, None, None) of an interruption.
    """
    found, latest = [[]], None
    for at, label, rr in events:
        if label is None:
            found.append([])
            latest = None
            continue
        interval = None if latest is None else at - latest
        if rr != interval and not (rr is None and (interval or 0) > 4 * SECOND):
            interval = None
        if interval is None or interval > 4 * SECOND:
            found.append([])
        letter = {"N": "N", "Q": "N", "S": "S", "V": "V", "F": "V"}[label]
        found[-1].append((at, letter, interval))
        latest = at
    return [stretch for stretch in found if stretch]


def runs(found, letter):
    """(couplets, runs, beats in runs, longest, fastest) of one letter."""
    couplets, rates, lengths = 0, [], []
    for stretch in found:
        letters = "".join(each[1] for each in stretch)
        for run in re.finditer(f"{letter}{{2,}}", letters):
            length = run.end() - run.start()
            if length == 2:
                couplets += 1
                continue
            span = stretch[run.end() - 1][0] - stretch[run.start()][0]
            lengths.append(length)
            rates.append(60 * SECOND * (length - 1) / span)
    return couplets, len(lengths), sum(lengths), max(lengths, default=0), max(rates, default=None)


def cycles(found, letters):
    """(episodes, samples) of a bigeminy or trigeminy."""
    spans = [
        stretch[episode.end() - 1][0] - stretch[episode.start()][0]
        for stretch in found
        for episode in re.finditer(f"(?:{letters}){{3,}}", "".join(each[1] for each in stretch))
    ]
    return len(spans), sum(spans)


def early(found):
    """Ventricular beats in the T wave of the beat before."""
    normal, count = [], 0
    for stretch in found:
        for number, (_, letter, interval) in enumerate(stretch):
            _, before, first = stretch[number - 1] if number else (None, "", None)
            if before == "V" and None not in (first, interval) and len(normal) >= 8:
                usual = median_low(normal[-8:])
                rests = letter == "V" or first + interval >= 1.25 * usual
                count += rests and first <= min(140, 0.45 * usual)
            if number and letter == "N" == stretch[number - 1][1]:
                normal.append(interval)
    return count


def rates(found):
    """(intervals, samples, slowest, fastest), the last two over eight intervals in a row."""
    intervals = [each[2] for stretch in found for each in stretch if each[2] is not None]
    of_eight = []
    for stretch in found:
        inside = [each[2] for each in stretch if each[2] is not None and each[2] <= 4 * SECOND]
        of_eight += [60 * SECOND * 8 / sum(inside[i - 8 : i]) for i in range(8, len(inside) + 1)]
    return len(intervals), sum(intervals), min(of_eight, default=None), max(of_eight, default=None)


def totals(events):
    """Everything, by name."""
    found = stretches(events)
    intervals = [each[2] for stretch in found for each in stretch if each[2] is not None]
    return {
        "classes": Counter(label for _, label, _ in events if label is not None),
        "ventricular": runs(found, "V"),
        "supraventricular": runs(found, "S"),
        "bigeminy": cycles(found, "NV"),
        "trigeminy": cycles(found, "NNV"),
        "r_on_t": early(found),
        "pauses": sum(each >= 2 * SECOND for each in intervals),
        "longest_rr": max(intervals, default=0),
        "rate": rates(found),
    }
