"""The pictures of a review: a question, a label to look at, and the summary."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core import labels
from ecgmon.terminal.canvas import Canvas, Look
from ecgmon.terminal.paper import moment
from trainer.enrolment.review.ecg import draw_beat, draw_context
from trainer.enrolment.review.lead import Lead
from trainer.enrolment.review.vocabulary import Judgement, Vocabulary

MIN_WIDTH: Final = 80
MIN_HEIGHT: Final = 24
Keys = Sequence[tuple[str, str]]
"""Each key and what it does."""

_CONTEXT_FROM: Final = 25
"""Rows of the drawing from which on some of them show more seconds."""
_CONTEXT_ROWS: Final = (6, 10)
_ON_ONE_LINE: Final = 4
"""Up to so many answers and the other keys are on one line."""
_ASKING: Final = (("b", "back"), ("q", "stop, answers are kept"))
_LOOKING: Final = (
    ("← →", "beat"),
    ("↑ ↓", "page"),
    ("x", "next abnormal"),
    ("b", "summary"),
    ("q", "stop, answers are kept"),
)
_DONE: Final = (
    (
        ("Enter", "accept"),
        ("→", "look through the labels"),
        ("b", "back"),
        ("q", "stop without accepting"),
    ),
)
_TOO_SMALL: Final = (("q", "stop, answers are kept"),)


@dataclass(frozen=True, eq=False, slots=True)
class Scene:
    """Content of a picture.

    Parameters
    ----------
    lead : Lead
        The signal.
    vocabulary : Vocabulary
        What may be said of its beats.
    title : str
        Whose it is.
    heading : str
        Where in the review this is.
    answers : mapping of int to Judgement
        What has been judged.
    beat : int, optional
        Which beat to show; without it, the summary.
    given : ndarray of int8, optional
        The label of each beat, where they are to be seen, shape (m,).
    """

    lead: Lead
    vocabulary: Vocabulary
    title: str
    heading: str
    answers: Mapping[int, Judgement]
    beat: int | None = None
    given: NDArray[np.int8] | None = None


def fits(width: int, height: int) -> bool:
    """Return whether a terminal is large enough to judge beats on."""
    return width >= MIN_WIDTH and height >= MIN_HEIGHT


def picture(scene: Scene, width: int, height: int) -> Canvas:
    """Return the picture of a scene, of exactly this size, for Rich to print."""
    canvas = Canvas(width, height)
    if not fits(width, height):
        size = f"Too small: {width} x {height}."
        canvas.write(0, 0, size, Look.STRONG)
        canvas.write(1, 0, f"Enlarge it to {MIN_WIDTH} x {MIN_HEIGHT}.", Look.STRONG)
        _draw_keys(canvas.part(2, 0, 1, width), _TOO_SMALL)
        return canvas
    if scene.beat is None:
        keys: Sequence[Keys] = _DONE
    else:
        keys = _keys(scene.vocabulary, looking=scene.given is not None)
    _draw_title(canvas.part(0, 0, 1, width), scene)
    _draw_counts(canvas.part(1, 0, 1, width), scene)
    body = canvas.part(2, 0, height - 3 - len(keys), width)
    words = canvas.part(height - 1 - len(keys), 0, 1, width)
    if scene.beat is None:
        _draw_summary(body, scene)
        words.write(0, 1, "Your answers are saved. Enter accepts the labels spread from them.")
    else:
        _draw_beat(body, scene, scene.beat)
        _draw_words(words, scene, scene.beat)
    for number, line in enumerate(keys):
        _draw_keys(canvas.part(height - len(keys) + number, 0, 1, width), line)
    return canvas


def _keys(vocabulary: Vocabulary, *, looking: bool) -> Sequence[Keys]:
    """Return the keys at a beat, line by line."""
    answers = tuple((answer.key, str(answer.judgement)) for answer in vocabulary.answers)
    if looking:
        return (answers, _LOOKING)
    if len(answers) <= _ON_ONE_LINE:
        return ((*answers, *_ASKING),)
    return (answers, _ASKING)


def _draw_title(bar: Canvas, scene: Scene) -> None:
    where = [scene.heading]
    if scene.beat is not None:
        where.append(f"at {moment(int(scene.lead.beats[scene.beat]))}")
    right = "   ".join(["", *where, ""])
    room = max(bar.width - len(right), 0)
    bar.write(0, 0, f"{f' {scene.title}  review'[:room]:<{bar.width}}", Look.TITLE)
    bar.write_right(0, right, Look.TITLE)


def _draw_counts(row: Canvas, scene: Scene) -> None:
    counts = Counter(scene.answers.values())
    column = row.write(0, 1, f"judged {len(scene.answers)}: ", Look.FAINT)
    for judgement in scene.vocabulary.of:
        column = row.write(0, column, f" {judgement} ", Look.FAINT)
        look = Look.STRONG if counts[judgement] else Look.FAINT
        column = row.write(0, column, f"{counts[judgement]} ", look)


def _draw_beat(body: Canvas, scene: Scene, beat: int) -> None:
    context = 0
    if body.height >= _CONTEXT_FROM:
        context = int(np.clip(body.height // 4, *_CONTEXT_ROWS))
    look = Look.STRONG
    if scene.given is not None:
        label = scene.vocabulary.labels.get(int(scene.given[beat]))
        look = label.look if label else Look.UNUSABLE
    main = body.part(0, 0, body.height - context, body.width)
    draw_beat(main, scene.lead, scene.vocabulary, beat, look, scene.answers, scene.given)
    if context:
        draw_context(body.part(main.height, 0, context, body.width), scene.lead, beat)


def _draw_words(row: Canvas, scene: Scene, beat: int) -> None:
    """Say what is asked or known of the beat, and its RR intervals."""
    judgement = scene.answers.get(beat)
    if judgement:
        sentence, look = f" You said {judgement.upper()}. ", Look.NOTICE
        more = "The same key keeps it."
    elif scene.given is None:
        sentence, look, more = "What is the beat between ▼ and ▲?", Look.STRONG, ""
    else:
        label = scene.vocabulary.labels.get(int(scene.given[beat]))
        word = label.judgement.upper() if label else "NO LABEL"
        sentence, look = f" {word} ", Look.NOTICE
        more = "was not asked. A key corrects it."
    column = row.write(0, 1, sentence, look)
    row.write(0, column + 1, more)
    intervals = [(scene.lead.rr_ms(beat), "before"), (scene.lead.rr_ms(beat + 1), "after")]
    known = ", ".join(f"{ms} {side}" for ms, side in intervals if ms is not None)
    row.write_right(0, f"RR ms: {known} " if known else "", Look.TEXT)


def _draw_summary(body: Canvas, scene: Scene) -> None:
    """Draw how many beats were judged and how many were labelled from them."""
    counts = Counter(scene.answers.values())
    given = np.zeros(0, np.int8) if scene.given is None else scene.given
    asked = np.isin(np.arange(len(given)), list(scene.answers))
    spread = Counter(given[~asked].tolist())
    rows: list[tuple[str, int | None, int | None, Look]] = [
        (
            str(answer.judgement),
            counts[answer.judgement],
            None if answer.spreads is None else spread[answer.spreads],
            Look.TEXT if answer.spreads is None else answer.look,
        )
        for answer in scene.vocabulary.answers
    ]
    rows += [
        ("without a label", None, spread[labels.UNLABELLED], Look.TEXT),
        ("beats in all", len(scene.answers), int(np.count_nonzero(~asked)), Look.STRONG),
    ]
    body.write(1, 3, "All questions are answered.", Look.STRONG)
    body.write(3, 3, f"{'':<18}{'judged by you':>14}{'not asked':>14}", Look.FAINT)
    for number, (name, judged, other, look) in enumerate(rows, start=4):
        cells = ["-" if count is None else f"{count:,}" for count in (judged, other)]
        body.write(number, 3, f"{name:<18}{cells[0]:>14}{cells[1]:>14}", look)


def _draw_keys(row: Canvas, keys: Keys) -> None:
    column = 1
    for key, text in keys:
        column = row.write(0, column, key, Look.TITLE)
        column = row.write(0, column, f" {text}  ", Look.TEXT)
