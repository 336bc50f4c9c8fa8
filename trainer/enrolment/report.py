"""The report of an enrolment for people: one HTML page without other files."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from ecgmon.core.atomic import atomic_write
from ecgmon.core.errors import UsageError
from ecgmon.models.card import Card
from trainer import pages
from trainer.enrolment import drawing, gate, overlay, timeline
from trainer.enrolment.enrol import HELD_OUT_S
from trainer.enrolment.enrolled import Enrolled
from trainer.enrolment.finished import AnyEnrolment


def write(done: AnyEnrolment, text: str) -> None:
    """Write a page to the outcome's ``report``; raise `UsageError` if that fails."""
    try:
        done.report.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(done.report, text.encode())
    except OSError as error:
        raise UsageError(
            f"Version {done.version} is stored, but its report {done.report} cannot be written: "
            f"{error.strerror}."
        ) from error


def page(done: Enrolled) -> str:
    """Return the page; the same enrolment gives the same text."""
    card, old = done.new.card, done.old.card
    seconds = range(done.signal.seconds)
    return pages.page(
        "enrolment.html.j2",
        **verdict(done, "seconds"),
        notes=list(_notes(done)),
        made_from=_made_from(done),
        timeline=_timeline(done),
        seen=sum(old.has_seen(done.signal.record.record, second) for second in seconds),
        beats=drawing.svg(
            "beats",
            "Beats by their labels",
            partial(overlay.draw, signal=done.signal),
            overlay.HEIGHT,
        ),
        most_beats=overlay.MOST,
        model=_model(card, done.new.sha256),
    )


def verdict(done: AnyEnrolment, unit: str) -> dict[str, Any]:
    """Return what the page of any enrolment says first.

    Parameters
    ----------
    done : AnyEnrolment
        The outcome.
    unit : str
        What is counted.
    """
    return {
        "headline": f"{done.wearer}: version {done.version} {_fate(done)}",
        "colours": drawing.COLOURS,
        "in_service": done.in_service,
        "old": done.old_name,
        "objections": done.objections,
        "summary": done.summary(),
        "unit": unit,
        "compared": [
            (what, number, _share(before, number), _share(new, number))
            for what, number, new, before in done.rows()
        ],
    }


def _fate(done: AnyEnrolment) -> str:
    if not done.in_service:
        return "is kept, not in service"
    return "is in service, by force" if done.objections else "is in service"


def _share(wrong: str, windows: str) -> str:
    return f"{wrong} ({int(wrong) / int(windows):.1%})" if wrong.isdecimal() else "not judged"


def _notes(done: Enrolled) -> Iterator[str]:
    """Yield notes on what the figures show and what they do not."""
    minute = done.verdict.minute_new
    yield (
        f"Last minute: the last {HELD_OUT_S} s of the enrolment, where they have a label. The new "
        "model's figures there are those of one made the same way from the seconds before."
    )
    if done.verdict.minute_old is None:
        yield f"{done.old.card.name} was fitted to the last minute, so it is not judged on it."
    if not minute.tp + minute.fn:
        yield (
            "No second of the last minute is labelled abnormal: whether the new model finds this "
            "wearer's abnormal beats is not known."
        )
    if done.new.card.labels == "assumed normal":
        yield (
            "That the last minute is normal is assumed, not known: if it holds abnormal beats, "
            "what counts as wrong may be right."
        )
    yield (
        "Panel: abnormal seconds of other wearers, to whom no model was fitted. The new model may "
        f"find up to {gate.PANEL_LOSS:.0%} of them fewer than the old one."
    )


def _made_from(done: Enrolled) -> Iterator[tuple[str, str]]:
    counts, card = done.counts(), done.new.card
    without = counts["seconds"] - counts["normal"] - counts["abnormal"]
    yield "signal", f"{counts['seconds']} s of {done.signal.record.record}"
    yield (
        "state",
        f"{counts['usable']} s usable, {counts['noisy']} s noisy, {counts['absent']} s without "
        "signal",
    )
    yield (
        "labels",
        f"{counts['normal']} s normal, {counts['abnormal']} s abnormal, {without} s without label",
    )
    sources = {
        "annotations": "the record's annotations",
        "review": f"a clinician's judgement of {done.judged} of {len(done.signal.beats)} beats, "
        "spread to those like them",
        "assumed normal": "none: every beat is assumed to be normal",
    }
    yield "source of labels", sources[card.labels]
    yield "threshold", f"before {done.old.card.threshold:.2f}, now {card.threshold:.2f}"


def _timeline(done: Enrolled) -> list[str]:
    old, new = done.probability(done.old), done.probability(done.new)
    return [
        drawing.svg(
            f"course {start}",
            f"Labels and probabilities from second {start} on",
            partial(timeline.draw, done=done, old=old, new=new, start=start),
            timeline.HEIGHT,
        )
        for start in range(0, done.signal.seconds, timeline.ROW_S)
    ]


def _model(card: Card, sha256: str) -> Iterator[tuple[str, str]]:
    others = [span for span in card.trained_on if span != card.enrolment]
    hours = sum(span.stop - span.start for span in others) / 3600
    yield "name", card.name
    yield "network", f"{card.network}, {card.parameters:,} parameters"
    yield "trained on", f"{len(others)} records of other wearers, {hours:.1f} hours"
    if own := card.enrolment:
        yield (
            "enrolled on",
            f"{own.record}, {own.start} to {own.stop} s: {card.windows} labelled seconds, "
            f"{card.abnormal_windows} abnormal",
        )
    yield (
        "sees",
        f"{card.history_s:g} s of history, the second it judges, and {card.look_ahead_s:g} s after "
        "it, by which every result is late",
    )
    yield "seed", f"{card.seed}"
    yield "created", card.created
    yield "versions", ", ".join(f"{name} {version}" for name, version in card.versions.items())
    yield "sha256", sha256
