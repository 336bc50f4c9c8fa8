"""The first screen: all wearers, one row each."""

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from ecgmon.core.constants import RATE
from ecgmon.terminal.canvas import Canvas, Look
from viewer.model.alarm_list import AlarmList
from viewer.model.snapshot import MonitorSnapshot
from viewer.model.wearer import WINDOWS, ViewState
from viewer.terminal import alarms, vitals
from viewer.terminal.format import MARKS, clock, look, minutes, short, status, verdict
from viewer.terminal.render import KeyHint, acknowledging, draw_keys

SECONDS_PER_BAR: Final = 30
LATE_S: Final = 3.0
"""A lag that is noticed."""
HELP: Final = (
    "Esc leaves this help and every other screen, q quits. ↑ ↓ or k j choose, Enter opens the "
    "trace, b goes back.",
    "a acknowledges the chosen wearer's alarms. p silences the kind of the worst one for 2 "
    "minutes, again for 2 more; r lets all that is paused sound again. h shows alarms of the past.",
    "!!! high, !! medium, ! low priority; reversed until somebody acknowledges it. latched: over, "
    "but nobody has seen it. Bars: share of abnormal seconds in each half minute.",
)
_BESIDE_HELP: Final = 6
"""Rows that help leaves to the picture, or half of them where there are not twice as many."""
_BARS: Final = "▁▂▃▄▅▆▇█"
_STATE: Final = 6
_RATE: Final = 3
_LAG: Final = 6
_DETAIL: Final = 7
_DETAIL_FROM: Final = 20


@dataclass(frozen=True, slots=True)
class OverviewContext:
    """What the overview shows beside what the monitor says.

    Parameters
    ----------
    title : str
        Which monitor.
    now, time : float
        Monotonic time, and seconds since the Unix epoch.
    last_message_at : float
        When the monitor was last heard of, since the Unix epoch: what is shown of alarms was so
        then.
    live : bool
        Whether the monitor is heard of.
    chosen : str or None
        The wearer chosen; None for the monitor's own alarms.
    warnings : tuple of str
        What must not be overlooked.
    notices : tuple of str
        What is told for a while.
    """

    title: str
    now: float
    time: float
    last_message_at: float
    live: bool = True
    chosen: str | None = None
    warnings: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


class _Columns(NamedTuple):
    """Where the columns begin, and how wide the alarms and bars are."""

    state: int
    rate: int
    alarm: int
    alarm_width: int
    bars: int
    bars_width: int
    lag: int


def render(snapshot: MonitorSnapshot, context: OverviewContext, width: int, height: int) -> Canvas:
    """Return the picture of all wearers, of exactly this size."""
    canvas = Canvas(width, height)
    order = snapshot.order()
    _title(canvas, len(order), context)
    row = 1
    for texts, shown in ((context.warnings, Look.WARNING), (context.notices, Look.NOTICE)):
        for text in texts:
            canvas.write(row, 0, f"{text:^{width}}", shown)
            row += 1
    if snapshot.own.active:
        _own(canvas.part(row, 0, 1, width), snapshot.own, context)
        row += 1
    foot = _detail(height, height - row - 2 - len(order))
    rows = max(height - row - 2 - foot, 1)
    _rows(canvas.part(row, 0, rows + 1, width), order, context)
    panel = canvas.part(row + 1 + rows, 1, foot, width - 2)
    chosen = snapshot.wearers.get(context.chosen or "")
    if chosen is not None:
        alarms.draw(panel, chosen, context.last_message_at, f" of {chosen.wearer}")
    _keys(canvas.part(height - 1, 0, 1, width), snapshot.alarm_list(context.chosen), context)
    return canvas


def explain(picture: Callable[[int, int], Canvas], width: int, height: int) -> Canvas:
    """Explain the keys and marks below a picture, which is drawn in the rows that are left.

    Parameters
    ----------
    picture : callable
        Draws a picture of so many columns and rows.
    width, height : int
        Size of both together, in cells.

    Returns
    -------
    Canvas
        Both, of exactly this size. On a small terminal the explanation is cut.
    """
    lines = [line for text in HELP for line in textwrap.wrap(text, max(width - 2, 20))]
    del lines[max(height - _BESIDE_HELP, height // 2) :]
    canvas, above = Canvas(width, height), height - len(lines)
    drawn = picture(width, above)
    canvas.codes[:above], canvas.looks[:above] = drawn.codes, drawn.looks
    for row, text in enumerate(lines, above):
        canvas.write(row, 0, f" {text:<{width}}", Look.STRONG)
    return canvas


def active(alarm_list: AlarmList, time: float, width: int) -> str:
    """Return the worst alarm that stands in one line, and how many others do; else nothing."""
    if not alarm_list.active:
        return ""
    worst, *others = alarm_list.active
    more = f" +{len(others)}" if others else ""
    called = status(worst, alarm_list, time, short=True)
    words = [MARKS[worst.message.priority], f"{minutes(time - worst.began):>5}"]
    words += [] if called == "raised" else [called]
    head = " ".join(words)
    room = max(width - len(head) - 1 - len(more), 0)
    # The sentence, or what it begins with, or the kind; cut only where not even that fits.
    text, kind = worst.message.text, worst.message.kind
    fitting = next((t for t in (text, text.partition(":")[0], kind) if len(t) <= room), kind)
    return f"{head} {fitting if len(fitting) <= room else fitting[: max(room - 1, 0)] + '…'}{more}"


def signal_state(state: ViewState, now: float) -> str:
    """Return the state of a wearer's signal in a word."""
    if state.closed:
        return "ended"
    window = state.current(now)
    return window.state if window else "silent"


def abnormal_shares(state: ViewState, bars: int) -> list[float | None]:
    """Return the shares of abnormal seconds among the judged ones, None where none was judged."""
    last = -(-state.clock // (RATE * SECONDS_PER_BAR))
    shares: list[float | None] = []
    for bar in range(last - bars, last):
        seconds = range(bar * SECONDS_PER_BAR, (bar + 1) * SECONDS_PER_BAR)
        called = [verdict(window) for s in seconds if s >= 0 and (window := state.window(s))]
        judged = called.count("normal") + called.count("abnormal")
        shares.append(called.count("abnormal") / judged if judged else None)
    return shares


def _title(canvas: Canvas, wearers: int, context: OverviewContext) -> None:
    watched = f"{wearers} wearer{'' if wearers == 1 else 's'}"
    canvas.write(0, 0, f"{f' {context.title}':<{canvas.width}}", Look.TITLE)
    canvas.write_right(0, f"  {watched}  {clock(context.time)} ", Look.TITLE)


def _own(row: Canvas, alarm_list: AlarmList, context: OverviewContext) -> None:
    text = f" the monitor: {active(alarm_list, context.last_message_at, row.width - 15)}"
    shown = (
        look(alarm_list.active[0], alarm_list, context.last_message_at)
        if context.live
        else Look.FAINT
    )
    row.write(0, 0, f"{text:<{row.width}}", shown)
    if context.chosen is None:
        row.write(0, 0, "→", Look.STRONG)


def _columns(width: int, longest: int) -> _Columns:
    names = min(max(longest + 1, 7), width // 5)
    bars = min(max((width - 60) // 4, 6), WINDOWS // SECONDS_PER_BAR)
    state = 2 + names
    rate = state + _STATE + 1
    alarm = rate + _RATE + 2
    lag = width - _LAG
    begin = lag - 1 - bars
    return _Columns(state, rate, alarm, begin - 1 - alarm, begin, bars, lag)


def _rows(part: Canvas, order: list[ViewState], context: OverviewContext) -> None:
    """Draw the heading, and as many wearers as there is room for, the chosen one among them."""
    at = _columns(part.width, max((len(state.wearer) for state in order), default=0))
    for column, text in ((2, "wearer"), (at.state, "signal"), (at.rate, "HR"), (at.lag, "   lag")):
        part.write(0, column, text, Look.FAINT)
    part.write(0, at.alarm, "alarm", Look.FAINT)
    part.write(0, at.bars, "abnormal"[: at.bars_width], Look.FAINT)
    room = part.height - 1
    names = [state.wearer for state in order]
    chosen = names.index(context.chosen) if context.chosen in names else 0
    top = min(max(chosen - room // 2, 0), max(len(order) - room, 0))
    for row, state in enumerate(order[top : top + room], 1):
        _row(part.part(row, 0, 1, part.width), state, context, at)
    if top:
        part.write(0, at.state - 2, "↑", Look.STRONG)
    if top + room < len(order):
        part.write(room, 0, "↓", Look.STRONG)


def _row(row: Canvas, state: ViewState, context: OverviewContext, at: _Columns) -> None:
    chosen = state.wearer == context.chosen
    row.write(0, 0, "→ " if chosen else "  ", Look.STRONG)
    row.write(0, 2, short(state.wearer, at.state - 3), Look.STRONG if chosen else Look.TEXT)
    called = signal_state(state, context.now) if context.live else "?"
    window = state.current(context.now) if context.live else None
    row.write(0, at.state, called, Look.TEXT if called == "signal" else Look.UNUSABLE)
    rate = vitals.heart_rate(window)
    sure = window is not None and window.state == "signal"
    row.write(0, at.rate, f"{rate:>3}", Look.NORMAL if sure else Look.UNUSABLE)
    text = active(state.alarm_list, context.last_message_at, at.alarm_width)
    if text:
        shown = look(state.alarm_list.active[0], state.alarm_list, context.last_message_at)
        row.write(0, at.alarm, text, shown if context.live else Look.FAINT)
    for column, share in enumerate(abnormal_shares(state, at.bars_width), at.bars):
        if share is None:
            row.write(0, column, "·", Look.GRID)
        else:
            bar = _BARS[min(round(share * 8 + 0.5), 8) - 1 if share else 0]
            abnormal = context.live and share > 0
            row.write(0, column, bar, Look.ABNORMAL if abnormal else Look.FAINT)
    if state.link and context.live and not state.closed:
        late = state.link.lag_s > LATE_S
        lag = f"{state.link.lag_s:.1f} s" if state.link.lag_s < 100 else minutes(state.link.lag_s)
        row.part(0, at.lag, 1, _LAG).write_right(0, lag, Look.WARNING if late else Look.TEXT)


def _detail(height: int, spare: int) -> int:
    """Return the rows of the panel with the chosen wearer's alarms."""
    rows = min(max(spare, _DETAIL if height >= _DETAIL_FROM else 0), _DETAIL)
    return rows if rows >= 2 else 0


def keys(alarm_list: AlarmList | None, time: float) -> tuple[KeyHint, ...]:
    """Return the keys that act on alarms, after the one that acknowledges."""
    if alarm_list is None:
        return ()
    found = (
        [KeyHint("p", f"pause {alarm_list.active[0].message.kind}", now=True)]
        if alarm_list.active
        else []
    )
    if alarm_list.paused(time):
        found.append(KeyHint("r", "re-arm", now=True))
    return tuple(found)


def _keys(row: Canvas, alarm_list: AlarmList | None, context: OverviewContext) -> None:
    draw_keys(
        row,
        acknowledging(len(alarm_list.waiting) if alarm_list else 0),
        KeyHint("?", "help"),
        *keys(alarm_list, context.last_message_at),
        KeyHint("h", "history"),
        KeyHint("Enter", "open"),
        KeyHint("↑↓", "choose"),
    )
