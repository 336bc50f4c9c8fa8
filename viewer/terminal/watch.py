"""The view of a running monitor: all wearers, one wearer's trace, and alarms of the past."""

import math
import time
from collections.abc import Callable
from typing import Final

from ecgmon.terminal.canvas import Canvas
from ecgmon.terminal.screen import ESCAPE, full_screen
from ecgmon.wire import messages
from ecgmon.wire.viewer_client import KINDS, ViewerClient, topics
from viewer.model.bell import Bell
from viewer.model.snapshot import LIVE_S, MonitorSnapshot
from viewer.terminal import overview
from viewer.terminal.banner import below
from viewer.terminal.history import AlarmHistory
from viewer.terminal.loop import IDLE_S, show
from viewer.terminal.overview import OverviewContext
from viewer.terminal.render import Caption, KeyHint, render
from viewer.terminal.single import FRAME_S

ALL: Final = topics(kind for kind in KINDS if kind is not messages.Trace)
"""What is wanted of all wearers; the trace only of the one shown."""
PAUSE_S: Final = 120
PATIENCE_S: Final = 2.0
"""A monitor that is there answers within it."""
REFUSAL_S: Final = 10.0
"""For so long a refusal is shown."""


def run_watch(viewer: ViewerClient, *, title: str, by: str, mute: bool) -> None:
    """Show a running monitor on the terminal until the user quits.

    Signals do what `full_screen` says.

    Parameters
    ----------
    viewer : ViewerClient
        Subscribed to `ALL`.
    title : str
        Which monitor.
    by : str
        Who acknowledges and pauses.
    mute : bool
        Whether the terminal's bell stays silent.
    """
    watch = Watch(viewer, title, by, mute=mute)
    full_screen(
        lambda screen, signals: show(watch, viewer, screen, lambda: signals.caught is not None)
    )


_LOST: Final = messages.Alarm(
    wearer=None,
    stream=None,
    alarm=1,
    kind="lost",
    priority="medium",
    category="technical",
    state="raised",
    at=None,
    time=0.0,
    text="the monitor is not heard of",
)


class Watch:
    """What is shown, and what keys do; see `run_watch`.

    Attributes
    ----------
    over : bool
        Whether the user has quit.
    """

    def __init__(self, viewer: ViewerClient, title: str, by: str, *, mute: bool) -> None:
        self.over = False
        self._viewer = viewer
        self._title = title
        self._by = by
        self._snapshot = MonitorSnapshot()
        self._bell = None if mute else Bell()
        self._chosen: str | None = None
        self._open = False
        self._history: AlarmHistory | None = None
        self._help = False
        self._live = False
        self._began = time.monotonic()
        self._refused = (-math.inf, "")
        self._seen = False

    @property
    def frame_s(self) -> float:
        """Least time between two pictures: only a trace moves."""
        return FRAME_S if self._open else IDLE_S

    @property
    def next_ring(self) -> float:
        """Monotonic time of the bell's next ring."""
        return self._bell.next if self._bell else math.inf

    def listen(self, message: messages.ToViewer, now: float) -> None:
        """Take a message that arrived at monotonic time ``now``."""
        if not self._live:  # perhaps it is another monitor than before
            self._live, self._seen = True, False
            self._snapshot.begin_again()
        self._snapshot.apply(message, now)
        match message:
            case messages.Refused():
                self._refused = now, message.reason
                if self._history:
                    self._history.give_up(refused=True)
            case messages.Past():
                if self._history:
                    self._history.take(message)
            case messages.Dropped():
                # What was dropped may have been the end of an alarm: ask how things stand.
                self._snapshot.begin_again()
                self._viewer.ask_again()
            case messages.Alarm() | messages.Paused() | messages.Subscribed():
                self._hear(now)

    def ring(self, now: float) -> bool:
        """Tell whether to ring the bell now."""
        return self._bell is not None and self._bell.ring(now)

    def on_key(self, key: str) -> None:
        """Do what a key says."""
        if key == "q":
            self.over = True
        elif key == "?" or (self._help and key in (ESCAPE, "b")):
            self._help = not self._help
        elif self._history is not None:
            if key in (ESCAPE, "b", "h"):
                self._history = None
            else:
                self._history.leaf(key)
        elif key == "h":
            self._history = AlarmHistory(self._chosen if self._open else None)
        elif key == "a":
            self._acknowledge()
        elif key == "p":
            self._pause()
        elif key == "r":
            self._rearm()
        elif self._open:
            if key in (ESCAPE, "b"):
                self._show(None)
        elif key in "\r\n":
            self._show(self._chosen)
        elif key in "↑k↓j":
            self._choose(-1 if key in "↑k" else 1)

    def picture(self, now: float) -> Callable[[int, int], Canvas]:
        """Return what draws the picture for a terminal's columns and rows."""
        page = self._page(now)

        def screen(width: int, height: int) -> Canvas:
            return overview.explain(page, width, height) if self._help else page(width, height)

        return below(screen, self._snapshot.alarm_lists, time.time())

    def _page(self, now: float) -> Callable[[int, int], Canvas]:
        if self._live and (now - self._viewer.last_message > LIVE_S or not self._viewer.connected):
            self._live = False
            self._viewer.ask_again()  # said as soon as there is somebody to say it to
        self._hear(now)  # a pause may be over
        warnings = tuple(self._warnings(now))
        if (history := self._history) is not None:
            if (next_request := history.next_request()) and not self._viewer.say(next_request):
                history.give_up(refused=False)
            return lambda width, height: history.render(warnings, width, height)
        state = self._snapshot.wearers.get(self._chosen or "")
        if self._open and state is None:
            self._show(None)
        elif self._open and state is not None:
            caption = Caption(
                title=state.wearer,
                notice=next(iter(self._notices(now)), None),
                unreadable=self._viewer.unreadable,
                now=now,
                time=time.time(),
                warnings=warnings,
                keys=(
                    KeyHint("?", "help"),
                    KeyHint("b", "back"),
                    *overview.keys(state.alarm_list, time.time()),
                    KeyHint("h", "history"),
                ),
            )
            return lambda width, height: render(state, caption, width, height)
        self._stay_chosen()
        context = OverviewContext(
            title=self._title,
            now=now,
            time=time.time(),
            last_message_at=time.time() - (now - self._viewer.last_message),
            live=self._live,
            chosen=self._chosen,
            warnings=warnings,
            notices=tuple(self._notices(now)),
        )
        return lambda width, height: overview.render(self._snapshot, context, width, height)

    def _warnings(self, now: float) -> list[str]:
        found = []
        if not self._live:
            silent_s = now - self._viewer.last_message
            if self._viewer.last_message > self._began:
                found.append(f"NOT LIVE: the monitor has not been heard of for {silent_s:.0f} s")
            elif silent_s > PATIENCE_S:
                found.append(f"NO MONITOR ANSWERS at {self._title}: is ecgmon serve running there?")
            else:
                found.append(f"Connecting to {self._title} ...")
        at, reason = self._refused
        if now - at < REFUSAL_S:
            found.append(f"REFUSED: {reason}")
        if self._snapshot.dropped:
            found.append(f"{self._snapshot.dropped:,} messages were dropped on the way to here")
        if self._viewer.unreadable and not self._open:
            found.append(f"{self._viewer.unreadable:,} messages could not be read")
        return found

    def _notices(self, now: float) -> list[str]:
        if event := self._snapshot.event(now):
            whose = " ".join(word for word in (event.wearer, event.who) if word)
            return [f"{event.event}: {event.text}{f' ({whose})' if whose else ''}"]
        return []

    def _hear(self, now: float) -> None:
        if self._bell is None:
            return
        if self._live:
            paused = self._snapshot.paused(time.time())
            self._bell.hear(self._snapshot.active(), paused, now)
        elif LIVE_S < now - self._viewer.last_message < now - self._began:
            # Nobody watches now, and an alarm would not be heard: that has to be.
            self._bell.hear({} if self._seen else {(None, 0): _LOST}, (), now)

    def _topics(self) -> list[str]:
        return [*ALL, f"trace/{self._chosen}"] if self._open else ALL

    def _show(self, wearer: str | None) -> None:
        """Show a wearer's trace, or with None the overview."""
        self._open = wearer is not None
        self._viewer.want(self._topics())

    def _places(self) -> list[str | None]:
        """Return what can be chosen: the monitor itself while it has alarms, and the wearers."""
        own: list[str | None] = [None] if self._snapshot.own.active else []
        return own + [state.wearer for state in self._snapshot.order()]

    def _stay_chosen(self) -> None:
        places = self._places()
        if self._chosen not in places or (self._chosen is None and places[0] is not None):
            self._chosen = next(filter(None, places), None)

    def _choose(self, step: int) -> None:
        self._stay_chosen()
        if places := self._places():
            place = places.index(self._chosen) + step
            self._chosen = places[min(max(place, 0), len(places) - 1)]

    def _acknowledge(self) -> None:
        if not self._live:
            self._seen = True
        elif alarm_list := self._snapshot.alarm_list(self._chosen):
            for alarm in alarm_list.waiting:
                number = alarm.message.alarm
                self._say(messages.Acknowledge(wearer=alarm_list.wearer, alarm=number, by=self._by))

    def _pause(self) -> None:
        if (alarm_list := self._snapshot.alarm_list(self._chosen)) and alarm_list.active:
            kind = alarm_list.active[0].message.kind
            left_s = math.ceil(alarm_list.paused_s(kind, time.time()))
            seconds = min(left_s + PAUSE_S, messages.MAX_PAUSE_S)
            self._say(
                messages.Pause(wearer=alarm_list.wearer, kind=kind, seconds=seconds, by=self._by)
            )

    def _rearm(self) -> None:
        if alarm_list := self._snapshot.alarm_list(self._chosen):
            for kind in alarm_list.paused(time.time()):
                self._say(
                    messages.Pause(wearer=alarm_list.wearer, kind=kind, seconds=0, by=self._by)
                )

    def _say(self, message: messages.FromViewer) -> None:
        if not self._live or not self._viewer.say(message):
            self._refused = time.monotonic(), "the monitor does not answer now"
