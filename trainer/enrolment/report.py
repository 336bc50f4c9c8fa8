"""The report of an enrolment for people: one HTML page that needs nothing beside it."""

from collections.abc import Iterator
from functools import partial

from ecgmon.core.atomic import atomic_write
from ecgmon.core.errors import UsageError
from ecgmon.models.card import Card
from trainer.enrolment import drawing, gate, overlay
from trainer.enrolment import html as sheet
from trainer.enrolment import timeline as course
from trainer.enrolment.enrol import HELD_OUT_S
from trainer.enrolment.enrolled import Enrolled


def write(done: Enrolled) -> None:
    """Write the page to where the outcome says; raises `UsageError` where it cannot."""
    try:
        done.report.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(done.report, page(done).encode())
    except OSError as error:
        raise UsageError(
            f"Version {done.version} is stored, but its report {done.report} cannot be written: "
            f"{error.strerror}."
        ) from error


def page(done: Enrolled) -> str:
    """Return the page; the same enrolment gives the same text."""
    card = done.new.card
    headline = f"{card.wearer}: version {done.version} {_fate(done)}"
    parts = {
        "": _verdict(done, headline),
        "Before and after": _compared(done),
        "What it was made from": sheet.facts(_made_from(done)),
        "Second by second": _course(done),
        "Beat by beat": _beats(done),
        "The new model": sheet.facts(_model(card, done.new.sha256)),
    }
    body = "".join(
        f"<section>\n{f'<h2>{name}</h2>' if name else ''}\n{part}</section>\n"
        for name, part in parts.items()
    )
    return sheet.whole(f"Enrolment of {headline}", body)


def _fate(done: Enrolled) -> str:
    if not done.in_service:
        return "is kept, not in service"
    return "is in service, by force" if done.forced else "is in service"


def _verdict(done: Enrolled, headline: str) -> str:
    old, objections = done.old.card.name, done.verdict.objections
    served = f"{old} served before." if done.in_service else f"{old} stays in service."
    if objections:
        reasons = f"{served} Against the new model, compared with {old}:"
    else:
        reasons = f"{served} Nothing in the comparison below speaks against the new model."
    return (
        f'<h1>{sheet.text(headline)}</h1>\n<div class="verdict">\n<p>{sheet.text(reasons)}</p>\n'
        f"{sheet.points(objections)}</div>\n<p>{sheet.text(done.summary())}</p>\n"
    )


def _compared(done: Enrolled) -> str:
    head = ("", "seconds", f"old model ({done.old.card.name}): wrong", "new model: wrong")
    rows = [
        (what, windows, _share(old, windows), _share(new, windows))
        for what, windows, new, old in done.rows()
    ]
    return sheet.table(head, rows) + f'<div class="note">{sheet.points(_notes(done))}</div>\n'


def _share(wrong: str, windows: str) -> str:
    return f"{wrong} ({int(wrong) / int(windows):.1%})" if wrong.isdecimal() else "not judged"


def _notes(done: Enrolled) -> Iterator[str]:
    """Say what the figures can be trusted for."""
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


def _course(done: Enrolled) -> str:
    seconds, card = done.signal.seconds, done.old.card
    old, new = done.probability(done.old), done.probability(done.new)
    drawn = [
        drawing.svg(
            f"course {start}",
            f"Labels and probabilities from second {start} on",
            partial(course.draw, done=done, old=old, new=new, start=start),
            course.HEIGHT,
        )
        for start in range(0, seconds, course.ROW_S)
    ]
    seen = sum(card.has_seen(done.signal.record.record, second) for second in range(seconds))
    both = f"; {card.name} was fitted to {seen} of them" if seen else ""
    caption = (
        "Above the label and the signal state of each second, below the probability of "
        "<i>abnormal</i> by either model. "
        f"{sheet.key('normal')} normal {sheet.key('abnormal')} abnormal "
        f"{sheet.key('unusable')} cannot be used, so not judged; the dashed line is the threshold, "
        "\u00d7 a second that the model calls otherwise than its label. <b>The new model was "
        f"made from these very seconds, where they have a label{sheet.text(both)}: that it is "
        "right here says little.</b> The honest figures are those of the last minute, above."
    )
    return sheet.figure(drawn, caption)


def _beats(done: Enrolled) -> str:
    drawn = drawing.svg(
        "beats",
        "Beats by their labels",
        partial(overlay.draw, signal=done.signal),
        overlay.HEIGHT,
    )
    caption = (
        "Beats as the monitor finds them, after its filter, by their label: bold their mean, "
        f"dashed that of the normal ones. Of more than {overlay.MOST} those least like the mean "
        "are drawn, and some of the others. A beat among those that it does not look like may "
        "have the wrong label."
    )
    return sheet.figure([drawn], caption)


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
