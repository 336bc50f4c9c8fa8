"""The report of an enrolment of a model of beats: one HTML page without other files."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from trainer import pages
from trainer.data.beats.kachuee import CLASSES
from trainer.data.learned_beats import taught
from trainer.enrolment import drawing, gate, overlay, report
from trainer.enrolment.enrol import HELD_OUT_S
from trainer.enrolment.own_beats.enrolled import EnrolledBeats

_KINDS: Final[tuple[overlay.Kind, ...]] = (
    ("normal", CLASSES.index("N"), "normal"),
    ("supraventricular", CLASSES.index("S"), "abnormal"),
    ("ventricular", CLASSES.index("V"), "abnormal"),
    overlay.NO_LABEL,
)


def write(done: EnrolledBeats) -> None:
    """Write the page to the outcome's ``report``; raise `UsageError` if that fails."""
    report.write(done, page(done))


def page(done: EnrolledBeats) -> str:
    """Return the page; the same enrolment gives the same text."""
    beats = done.signal.beats
    return pages.page(
        "enrolment.html.j2",
        **report.verdict(done, "beats"),
        notes=list(_notes(done)),
        made_from=list(_made_from(done)),
        beats=drawing.svg(
            "beats",
            "Beats by their classes",
            partial(
                overlay.draw_beats,
                beats=beats.samples,
                filtered=done.signal.filtered,
                every=taught(beats.labels),
                kinds=_KINDS,
            ),
            overlay.HEIGHT,
        ),
        most_beats=overlay.MOST,
        timeline=[],
        model=list(_model(done)),
    )


def _notes(done: EnrolledBeats) -> Iterator[str]:
    """Yield notes on what the figures show and what they do not."""
    yield (
        f"Last minute: the beats of the last {HELD_OUT_S} s of the enrolment that have a class. "
        "The new model's figures there are those of one made the same way from the seconds before."
    )
    if done.saw_minute:
        yield f"{done.old_name} was fitted to the last minute, so it is not judged on it."
    if not any(sum(row) for row in done.verdict.minute_new[1:]):
        yield (
            "No beat of the last minute is ectopic: whether the new model finds this wearer's "
            "ectopic beats is not known."
        )
    yield (
        "Panel: ectopic beats of other people, to whom no model was fitted. The new model may find "
        f"up to {gate.PANEL_LOSS:.0%} of them fewer than the old one, as the mean over V and S."
    )


def _made_from(done: EnrolledBeats) -> Iterator[tuple[str, str]]:
    counts = done.counts()
    yield "signal", f"{counts['seconds']} s of {done.signal.beats.record}"
    yield (
        "state",
        f"{counts['usable']} s usable, {counts['noisy']} s noisy, {counts['absent']} s without "
        "signal",
    )
    each = ", ".join(f"{counts[name]} {name}" for name in CLASSES if counts[name])
    yield "beats", f"{counts['beats']}, with a class: {each}"
    judged = f"a clinician's judgement of {done.judged} of them, spread to those like them"
    yield "source of classes", judged if done.labels == "review" else "the record's annotations"


def _model(done: EnrolledBeats) -> Iterator[tuple[str, str]]:
    card = done.new.card
    yield "name", card.name
    yield "network", f"{card.network}, {card.parameters:,} parameters"
    yield "sees", "half a second after each beat, by which every result is late"
    yield "seed", f"{card.seed}"
    yield "created", card.created
    yield "versions", ", ".join(f"{name} {version}" for name, version in card.versions.items())
    yield "sha256", done.new.sha256
