"""State machine of the alarms of one wearer, or of the monitor; restored after a restart.

Of each kind one alarm stands at most. What becomes of it:

    state         | its condition begins | its condition ends      | a person acknowledges it
    --------------+----------------------+-------------------------+-------------------------
    none stands   | raised [2]           | -                       | refused
    raised        | -                    | cleared, or latched [1] | acknowledged
    acknowledged  | -                    | cleared                 | -
    latched       | raised, same number  | -                       | cleared

    [1] latched if it is of high priority.
    [2] a new number; the same number if it is of lower priority and its condition ended less than
        `AlarmTiming.burst_s` before, in the same stream: a burst is one alarm, with a count.

A dash changes nothing, so a condition may be told again each second. An alarm that is raised from
*latched* is the same trouble going on: it is not another alarm, but it has to be acknowledged
while it lasts; so is one that comes again in a burst. Apart from bursts the number of a cleared
alarm is never used again.

A kind may be paused, whether an alarm of it stands or not. That changes no alarm: those of the
kind stand and are shown, but do not sound (`viewer.model.alarm_sounds`). A pause ends

- when its time is over,
- when a person re-arms the kind,
- when an alarm of high priority is raised during the pause of its own kind, for a pause is meant
  for the alarm that was heard, not for the next one that may kill.

Times are those of the wall clock, in s, for they are told to people and outlive a restart. Clocks
are set now and then. A step forward ends pauses early, which is safe. After a step back a pause is
told again with what was left of it, so that it never lasts longer than was asked for.

All that this machine knows lies in the transitions it returns: a machine made from them goes on as
if it had never stopped.
"""

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from ecgmon.core.alarm_kinds import AlarmState, Kind, Priority
from ecgmon.core.alarm_timing import TIMING
from ecgmon.core.constants import RATE
from ecgmon.core.errors import UsageError
from ecgmon.core.state import Index, Layout, Stateful
from monitor.alarms.kinds import KINDS
from monitor.alarms.transitions import AlarmPause, Change, Transition

LONGEST_PAUSE_S: Final = 3600.0
"""Nobody may silence a bed for good: a pause has to be asked for again."""


class AlarmStateMachine(Stateful):
    """The alarms and pauses of one wearer."""

    layout = Layout(
        "alarms",
        3,
        _alarms=dict[Kind, Change],
        _ended=dict[Kind, Change],
        _pauses=dict[Kind, tuple[float, AlarmPause]],
        _highest=Index,
        _now=float,
    )

    def __init__(self) -> None:
        self._alarms: dict[Kind, Change] = {}
        self._ended: dict[Kind, Change] = {}
        self._pauses: dict[Kind, tuple[float, AlarmPause]] = {}
        self._highest = 0
        self._now = -math.inf

    @classmethod
    def from_transitions(
        cls, transitions: Iterable[Transition], highest: int = 0
    ) -> "AlarmStateMachine":
        """Go on from the transitions of the past.

        Parameters
        ----------
        transitions : iterable of Transition
            All that were returned, in their order; or the last of each alarm and of each kind's
            pauses, in any order; or those since nothing stood and nothing was paused, after which
            a burst begins anew.
        highest : int
            Highest number given so far, where the transitions may not show it.

        Returns
        -------
        Alarms
            In the state in which these transitions left theirs.
        """
        changes: dict[int, Change] = {}
        pauses: dict[Kind, AlarmPause] = {}
        for transition in transitions:
            if isinstance(transition, Change):
                changes[transition.number] = transition
            else:
                pauses[transition.kind] = transition
        alarms = cls()
        alarms._highest = max([highest, *changes])
        in_order = [change for _, change in sorted(changes.items())]
        alarms._alarms = {c.kind: c for c in in_order if c.state != "cleared"}
        for change in in_order:
            if change.state == "cleared":
                alarms._note_end(change)
        alarms._pauses = {p.kind: (p.until, p) for p in pauses.values() if p.until is not None}
        alarms._now = max((p.time for _, p in alarms._pauses.values()), default=-math.inf)
        return alarms

    @property
    def highest(self) -> int:
        """Highest number given so far, 0 before the first."""
        return self._highest

    @property
    def active(self) -> list[Change]:
        """The alarms not cleared, each as it last changed, in the order of their numbers."""
        return sorted(self._alarms.values(), key=lambda change: change.number)

    @property
    def pauses(self) -> dict[Kind, AlarmPause]:
        """The pauses in force."""
        return {kind: pause for kind, (_, pause) in self._pauses.items()}

    @property
    def holding(self) -> frozenset[Kind]:
        """The kinds whose condition holds, for the `Conditions` of the wearer's next stream."""
        return frozenset(c.kind for c in self._alarms.values() if c.state != "latched")

    def may_change(self, kind: Kind, holds: bool) -> bool:
        """Tell whether `condition` might return something, which it seldom does.

        Where it would not, it need not be called: time matters to pauses alone.
        """
        return bool(self._pauses) or holds != self._stands(kind)

    def condition(
        self,
        kind: Kind,
        holds: bool,
        time: float,
        *,
        stream: str | None = None,
        at: int | None = None,
        text: str | None = None,
        priority: Priority | None = None,
    ) -> list[Transition]:
        """Note that a condition holds, or does not, at sample ``at`` of a stream.

        Parameters
        ----------
        kind : Kind
            Which condition.
        holds : bool
            Whether it does; may be told again and again.
        time : float
            Now, in s since 1970.
        stream : str or None
            The stream that ``at`` counts in.
        at : int or None
            Since which sample.
        text : str or None
            What to say in place of the kind's usual text.
        priority : Priority or None
            The wearer's own in place of the kind's usual one.

        Returns
        -------
        list of Transition
            What changes by it.
        """
        changes = self.tick(time)
        if holds == self._stands(kind):
            return changes
        alarm = self._alarms.get(kind)
        if alarm is None or holds:
            priority = priority or KINDS[kind].priority
            if kind in self._pauses and priority == "high":
                changes.append(self._rearm(kind, None, time))
            before = alarm or self._burst(kind, priority, stream, at)
            if before is None:
                self._highest += 1
            number, count = (before.number, before.count + 1) if before else (self._highest, 1)
            text = KINDS[kind].text if text is None else text
            raised = Change(number, kind, priority, "raised", stream, at, time, text, count=count)
            return [*changes, self._enter(raised)]
        latches = alarm.latches and alarm.state == "raised"
        state: AlarmState = "latched" if latches else "cleared"
        gone = replace(alarm, state=state, stream=stream, at=at, time=time, by=None)
        return [*changes, self._enter(gone)]

    def acknowledge(self, number: int, by: str, time: float) -> list[Transition]:
        """Note that a person has seen an alarm.

        Returns
        -------
        list of Transition
            What changes by it; nothing if it was acknowledged before.

        Raises
        ------
        UsageError
            If no alarm of this number stands.
        """
        alarm = next((a for a in self._alarms.values() if a.number == number), None)
        if alarm is None:
            raise UsageError(f"Alarm {number} stands no more: look at those that do.")
        changes = self.tick(time)
        if alarm.state == "acknowledged":
            return changes
        state: AlarmState = "cleared" if alarm.state == "latched" else "acknowledged"
        return [*changes, self._enter(replace(alarm, state=state, time=time, by=by))]

    def pause(self, kind: Kind, seconds: float, by: str, time: float) -> list[Transition]:
        """Silence a kind from now on; 0 seconds re-arm it.

        Raises
        ------
        UsageError
            If it is asked for longer than an hour.
        """
        if not 0 <= seconds <= LONGEST_PAUSE_S:
            raise UsageError(
                f"An alarm cannot be paused for {seconds:g} s: choose 0 to {LONGEST_PAUSE_S:g} s."
            )
        changes = self.tick(time)
        if seconds:
            return [*changes, self._silence(kind, time + seconds, by, time)]
        return [*changes, self._rearm(kind, by, time)] if kind in self._pauses else changes

    def tick(self, time: float) -> list[Transition]:
        """Note how late it is; call it about once a second.

        Returns
        -------
        list of Transition
            The pauses that are over, and after the clock was set back those that go on.
        """
        back, self._now = max(self._now - time, 0.0), time
        changes: list[Transition] = []
        if not self._pauses:
            return changes
        for kind, (until, pause) in list(self._pauses.items()):
            if until - back <= time:
                changes.append(self._rearm(kind, None, time))
            elif back:
                changes.append(self._silence(kind, until - back, pause.by, time))
        return changes

    def _stands(self, kind: Kind) -> bool:
        """Tell whether the condition of a kind holds, as was told last."""
        alarm = self._alarms.get(kind)
        return alarm is not None and alarm.state != "latched"

    def _enter(self, change: Change) -> Change:
        if change.state == "cleared":
            del self._alarms[change.kind]
            self._note_end(change)
        else:
            self._alarms[change.kind] = change
        return change

    def _note_end(self, change: Change) -> None:
        if not change.latches and change.stream is not None and change.at is not None:
            self._ended[change.kind] = change

    def _burst(
        self, kind: Kind, priority: Priority, stream: str | None, at: int | None
    ) -> Change | None:
        """Return the last alarm of a kind if what begins now goes on with it."""
        last = self._ended.pop(kind, None)
        if last is None or last.at is None or at is None:
            return None
        within = TIMING[priority].burst_s * RATE
        follows = last.stream == stream and 0 <= at - last.at <= within
        return last if follows and last.priority == priority else None

    def _silence(self, kind: Kind, until: float, by: str | None, time: float) -> AlarmPause:
        pause = AlarmPause(kind, until, by, time)
        self._pauses[kind] = (until, pause)
        return pause

    def _rearm(self, kind: Kind, by: str | None, time: float) -> AlarmPause:
        del self._pauses[kind]
        return AlarmPause(kind, None, by, time)
