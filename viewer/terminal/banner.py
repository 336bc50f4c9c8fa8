"""The row above every screen with the high alarms that stand, so that no screen hides one."""

from collections.abc import Callable, Iterable
from typing import Final

from ecgmon.terminal.canvas import Canvas, Look
from viewer.model.alarm_list import AlarmList, KnownAlarm
from viewer.terminal.format import MARKS, OWN, short

_NAME: Final = 16
"""Longest name of a wearer in the row, in characters."""
Picture = Callable[[int, int], Canvas]
"""Draws a screen of so many columns and rows."""


def below(picture: Picture, alarm_lists: Iterable[AlarmList], time: float) -> Picture:
    """Return what draws a screen below a row with the high alarms that stand.

    An alarm that is acknowledged, latched or paused stands as well. While one of them waits for
    somebody and is not paused, the row is reversed. Without a high alarm there is no row.

    Parameters
    ----------
    picture : callable
        Draws the screen.
    alarm_lists : iterable of AlarmList
        Whose alarms.
    time : float
        Seconds since the Unix epoch, for what is paused.

    Returns
    -------
    callable
        Draws both in the rows that there are; on a terminal of one row only the alarms.
    """
    found = [
        (bool(not alarm.waiting or alarm_list.paused_s(alarm.message.kind, time)), alarm)
        for alarm_list in alarm_lists
        for alarm in alarm_list.active
        if alarm.message.priority == "high"
    ]
    if not found:
        return picture
    found.sort(key=lambda one: (one[0], one[1].weight))
    look = Look.HIGH if found[0][0] else Look.HIGH_RAISED
    alarms = [alarm for _, alarm in found]

    def draw(width: int, height: int) -> Canvas:
        canvas = Canvas(width, height)
        canvas.write(0, 0, f"{_text(alarms, width):<{width}}", look)
        screen, rest = picture(width, max(height - 1, 1)), canvas.part(1, 0, height - 1, width)
        rest.codes[:], rest.looks[:] = screen.codes[: height - 1], screen.looks[: height - 1]
        return canvas

    return draw


def _text(alarms: list[KnownAlarm], width: int) -> str:
    """Return whose alarms these are and of what kind, as far as there is room for it."""
    named = [(short(alarm.message.wearer or OWN, _NAME), alarm.message.kind) for alarm in alarms]
    names = list(dict.fromkeys(name for name, _ in named))
    kinds = [f"{name} {kind}" for name, kind in named]
    for texts in (kinds, [kinds[0], *names[1:]], names):
        if len(line := _line(texts, len(texts))) <= width:
            return line
    counts = range(len(names) - 1, 0, -1)
    return next((line for n in counts if len(line := _line(names, n)) <= width), _line(names, 1))


def _line(texts: list[str], most: int) -> str:
    """Return the first texts in one line, and how many more there are."""
    more = f" +{len(texts) - most}" if len(texts) > most else ""
    return f"{MARKS['high']} {' · '.join(texts[:most])}{more}"
