"""The whole picture: which part of the view gets which rows of the terminal."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from ecgmon.core.constants import RATE
from ecgmon.terminal.canvas import Canvas, Look
from ecgmon.terminal.paper import moment
from ecgmon.wire import messages
from viewer.model.wearer import ViewState
from viewer.terminal import alarms, beats, ecg, strip, vitals

SILENT_S: Final = 3.0
"""The monitor speaks of a wearer about once a second: after this long nothing here is live."""
SWAP_SHOWN: Final = 60 * RATE
"""Samples for which a change of model is told."""
_VITALS_FROM: Final = 60
_VITALS_ROWS: Final = 2


class KeyHint(NamedTuple):
    """A key, what it does, and whether there is something to do just now."""

    key: str
    does: str
    now: bool = False


@dataclass(frozen=True, slots=True)
class Caption:
    """What the picture says beside what the monitor published.

    Parameters
    ----------
    title : str
        What is shown, for example the record.
    notice : str, optional
        What must not be overlooked, for example that the wearer is simulated.
    score : str, optional
        How well the model does so far, where that is known.
    unreadable : int
        Messages that could not be read.
    now : float
        Monotonic time in seconds, as in `ViewState.apply`.
    time : float
        Seconds since the Unix epoch.
    warnings : tuple of str
        What must not be overlooked for now.
    keys : tuple of KeyHint
        Keys beside those for quitting and acknowledging.
    """

    title: str = ""
    notice: str | None = None
    score: str | None = None
    unreadable: int = 0
    now: float = 0.0
    time: float = 0.0
    warnings: tuple[str, ...] = ()
    keys: tuple[KeyHint, ...] = ()


def render(state: ViewState, caption: Caption, width: int, height: int) -> Canvas:
    """Return the picture of a wearer, of exactly this size, for Rich to print."""
    canvas = Canvas(width, height)
    silent_s = caption.now - state.heard_at
    silent = silent_s > SILENT_S and not state.closed
    now = None if silent else state.current(caption.now)
    notices = [(caption.notice, Look.NOTICE)] if caption.notice else []
    if state.swap and state.clock - state.swap.first < SWAP_SHOWN:
        notices.append(_swap(state.swap))
    notices += [(warning, Look.WARNING) for warning in caption.warnings]
    if silent:
        text = f"NOT LIVE: nothing heard of this wearer for {silent_s:.0f} s"
        notices.append((text, Look.WARNING))
    row = 0
    shares = _shares(height, len(notices), bool(caption.score), bool(len(state.beats)))
    vitals_below = width >= _VITALS_FROM and shares["alarms"] >= _VITALS_ROWS
    for name, rows in shares.items():
        part = canvas.part(row, 0, rows, width)
        row += rows
        match name:
            case "title":
                _title(part, state, caption, "" if vitals_below else vitals.heart_rate(now))
            case "notices":
                for line, (notice, look) in enumerate(notices):
                    part.write(line, 0, f"{notice:^{width}}", look)
            case "ecg":
                ecg.draw(part.part(0, 1, rows, width - 2), state)
            case "beats":
                beats.draw(part.part(0, 1, rows, width - 2), state, caption.time)
            case "strip":
                strip.draw(part.part(0, 1, rows, width - 2), state)
            case "alarms":
                _alarms(part.part(0, 1, rows, width - 2), state, caption.time, now)
            case "link":
                _link(part, state, caption)
            case "score":
                part.write(0, 1, caption.score or "")
            case "keys":
                draw_keys(part, acknowledging(len(state.alarm_list.waiting)), *caption.keys)
    return canvas


def _swap(swap: messages.Swap) -> tuple[str, Look]:
    if swap.refused:
        return f"{swap.model} goes on, another model was refused: {swap.refused}", Look.WARNING
    return f"{swap.model} judges from {moment(swap.first)} on", Look.NOTICE


def _shares(height: int, notices: int, score: bool, beats: bool) -> dict[str, int]:
    """Return the rows of each part, from top to bottom."""
    names = ("title", "notices", "ecg", "beats", "strip", "alarms", "link", "score", "keys")
    rows = dict.fromkeys(names, 0)
    # What a small terminal keeps comes first.
    for name, height_wanted in (
        ("title", 1),
        ("notices", notices),
        ("ecg", 4),
        ("alarms", 3),
        ("keys", 1),
        ("beats", int(beats)),
        ("link", 1),
        ("strip", 4),
        ("score", int(score)),
        ("alarms", 3),
        ("ecg", 6),
    ):
        rows[name] += min(height_wanted, height - sum(rows.values()))
    spare = height - sum(rows.values())
    # An axis and an odd number of rows of bars, so that a threshold of 0.5 has a row to itself.
    rows["strip"] += max((min(spare // 4, 7) - 1) // 2 * 2 + 1, 0)
    rows["alarms"] += min(spare // 4, 10)
    rows["ecg"] += height - sum(rows.values())
    return rows


def _title(bar: Canvas, state: ViewState, caption: Caption, heart_rate: str) -> None:
    title = f" {caption.title}"
    facts = []
    if state.opened:
        title += f"  {state.lead}"
        facts.append(f"look-ahead {state.opened.look_ahead_s:.1f} s")
    if state.model:
        facts.append(f"model {state.model}")
    facts.append(moment(state.clock))
    if heart_rate:  # there is no room for it elsewhere
        facts.append(f"HR {heart_rate}")
    if state.closed:
        facts.append("ENDED")
    # On a narrow terminal the first facts go first.
    room = bar.width - len(title)
    while len(facts) > 1 and len("  ".join(["", *facts, ""])) > room:
        facts.pop(0)
    bar.write(0, 0, f"{title:<{bar.width}}", Look.TITLE)
    bar.write_right(0, "  ".join(["", *facts]) + " ", Look.TITLE)


def _alarms(part: Canvas, state: ViewState, time: float, now: messages.Window | None) -> None:
    beside = vitals.WIDTH + 1 if part.width >= _VITALS_FROM - 2 else 0
    alarms.draw(part.part(0, 0, part.height, part.width - beside), state, time)
    if beside:
        vitals.draw(part.part(0, part.width - vitals.WIDTH, part.height, vitals.WIDTH), now)


def _link(part: Canvas, state: ViewState, caption: Caption) -> None:
    column = 1
    for name, value, notable in _link_quality(state, caption):
        column = part.write(0, column, f"{name} ", Look.FAINT)
        column = part.write(0, column, value, Look.WARNING if notable else Look.TEXT) + 2


def _link_quality(state: ViewState, caption: Caption) -> Iterator[tuple[str, str, bool]]:
    """Yield name, value and whether it should be noticed."""
    link = state.link
    if link is None:
        yield "link", "not heard of yet", False
    else:
        sent = max(link.received + link.missing, 1)
        share = f" ({link.missing / sent:.1%})" if link.missing > 0 else ""
        yield "received", f"{link.received:,}", False
        yield "missing", f"{link.missing:,}{share}", False
        yield "gaps seen", f"{state.gap_count}", False
        yield "repeated", f"{link.repeated:,}", False
        yield "lag", f"{link.lag_s:.1f} s", link.lag_s > SILENT_S and not state.closed
    if caption.unreadable:
        yield "unreadable", f"{caption.unreadable}", True


def draw_keys(part: Canvas, *keys: KeyHint) -> None:
    """Draw what keys do on one row, first the one that quits; the last give way to others."""
    column = 1
    for key, does, now in (KeyHint("q", "quit"), *keys):
        end = column + len(key) + 1 + len(does)
        if end > part.width:
            return
        part.write(0, column, key, Look.TITLE)
        part.write(0, column + len(key), f" {does}", Look.TEXT if now else Look.FAINT)
        column = end + 3


def acknowledging(alarms: int) -> KeyHint:
    """Return the key that acknowledges so many alarms."""
    does = f"acknowledge {alarms} alarm{'s'[: alarms - 1]}" if alarms else "acknowledge"
    return KeyHint("a", does, alarms > 0)
