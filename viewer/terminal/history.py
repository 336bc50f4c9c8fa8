"""Alarms of the past, newest first."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from ecgmon.terminal.canvas import Canvas, Look
from ecgmon.wire import messages
from viewer.terminal.format import MARKS, OWN
from viewer.terminal.render import KeyHint, draw_keys

MOST: Final = 2000
"""Entries kept; earlier ones are for ``ecgmon alarms history``."""


class AlarmHistory:
    """What has been told of the past so far, and how far one has leafed through it.

    Parameters
    ----------
    wearer : str or None
        Whose; None for all.
    """

    def __init__(self, wearer: str | None) -> None:
        self.wearer = wearer
        self._entries: list[messages.Alarm | messages.Paused] = []
        self._before: int | None = None
        self._asked = self._complete = self._refused = False
        self._top = 0
        self._room = 1

    def next_request(self) -> messages.History | None:
        """Return the question to ask next, once, if more is needed to fill the screen."""
        short = len(self._entries) < self._top + 2 * self._room
        if self._asked or self._complete or not short or len(self._entries) >= MOST:
            return None
        self._asked = True
        return messages.History(wearer=self.wearer, before=self._before)

    def take(self, past: messages.Past) -> None:
        """Take an answer."""
        if not self._asked:
            return
        self._asked = False
        self._entries += past.entries
        # An answer that leads no further back would be asked for for ever.
        stuck = past.before is None or (self._before is not None and past.before >= self._before)
        self._complete, self._before = stuck, past.before

    def give_up(self, *, refused: bool) -> None:
        """Take that there was no answer; unless it was refused, it will be asked for again."""
        self._asked = False
        self._complete, self._refused = self._complete or refused, refused

    def leaf(self, key: str) -> None:
        """Move by an entry or by a screen."""
        page = max(self._room - 1, 1)
        steps = {"↓": 1, "j": 1, "↑": -1, "k": -1, "⇟": page, " ": page, "⇞": -page}
        most = max(len(self._entries) - self._room, 0)
        self._top = min(max(self._top + steps.get(key, 0), 0), most)

    def render(self, warnings: tuple[str, ...], width: int, height: int) -> Canvas:
        """Return the picture, of exactly this size."""
        canvas = Canvas(width, height)
        whose = f"of {self.wearer}" if self.wearer else "of all wearers"
        canvas.write(0, 0, f"{f' alarms of the past, {whose}':<{width}}", Look.TITLE)
        for row, warning in enumerate(warnings, 1):
            canvas.write(row, 0, f"{warning:^{width}}", Look.WARNING)
        head = 1 + len(warnings)
        self._room = max(height - head - 1, 1)
        shown = self._entries[self._top : self._top + self._room]
        names = names_width(shown) if self.wearer is None else 0
        for row, entry in enumerate(shown, head):
            canvas.write(row, 1, line(entry, names), _look(entry))
        if not self._entries:
            text = "Asking the monitor ..."
            if self._complete:
                text = "The monitor does not say." if self._refused else "No alarms are known."
            canvas.write(head, 1, text, Look.FAINT)
        draw_keys(
            canvas.part(height - 1, 0, 1, width),
            KeyHint("Esc", "back"),
            KeyHint("↑↓", "move"),
            KeyHint("Space", "next page"),
        )
        return canvas


def names_width(entries: Sequence[messages.Alarm | messages.Paused]) -> int:
    """Return the width of the longest name among those whose entries these are."""
    return max((len(entry.wearer or OWN) for entry in entries), default=0)


def line(entry: messages.Alarm | messages.Paused, names: int) -> str:
    """Return an entry in one line, with a name of so many characters, or with 0 without one."""
    at = f"{datetime.fromtimestamp(entry.time).astimezone():%Y-%m-%d %H:%M:%S}"
    whose = f"{entry.wearer or OWN:<{names}} " if names else ""
    by = f" by {entry.by}" if entry.by else ""
    if isinstance(entry, messages.Paused):
        if entry.until is None:
            return f"{at} {whose}    re-armed     {entry.kind}{by}"
        return f"{at} {whose}    paused       {entry.kind} for {entry.until - entry.time:.0f} s{by}"
    mark = MARKS[entry.priority]
    return f"{at} {whose}{mark} {entry.state:<12} {entry.kind}: {entry.told}{by}"


def _look(entry: messages.Alarm | messages.Paused) -> Look:
    if isinstance(entry, messages.Paused) or entry.state == "cleared":
        return Look.FAINT
    looks = {"high": Look.HIGH, "medium": Look.MEDIUM, "low": Look.LOW}
    return looks[entry.priority] if entry.state == "raised" else Look.TEXT
