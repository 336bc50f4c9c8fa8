"""Which of the named rhythms is announced, and for how long: only the worst of several at once."""

from ecgmon.core.alarm_kinds import Kind
from ecgmon.core.constants import RATE
from ecgmon.core.rhythm_limits import RhythmLimits
from ecgmon.core.state import NESTED, Index, Layout, Stateful
from monitor.alarms.conditions.base import NEVER, Condition
from monitor.alarms.conditions.beat_history import BeatHistory
from monitor.alarms.conditions.beat_patterns import Seen
from monitor.alarms.conditions.rhythm_table import LINGER_S, Row, table


class RhythmAnnouncements(Stateful):
    """The conditions of named rhythms, from beats that are certain and come in order.

    A row begins with the beat that completes its pattern, unless one above it holds that hides it
    (`Row.hidden_by`): it is then not announced later either. It ends `Row.linger_s` after the last
    beat that fulfils it. What holds when a worse one begins goes on until its own end: the worse
    one is announced, and nothing flaps where a worse one comes again and again.

    Parameters
    ----------
    limits : RhythmLimits
        The wearer's.
    holding : set of Kind
        What held before the stream began.
    """

    layout = Layout(
        "rhythm announcements",
        2,
        ("_limits",),
        _history=NESTED,
        _ends=dict[Kind, Index],
        _shown=list[Kind],
    )

    def __init__(self, limits: RhythmLimits, holding: set[Kind]) -> None:
        self._limits = limits
        self._rows = tuple(row for row in table(limits) if row.level != "off")
        self._of_normal = [at for at, row in enumerate(self._rows) if row.pattern.of_normal]
        self._history = BeatHistory(limits)
        self._ends = dict.fromkeys(holding, LINGER_S * RATE)
        self._shown: list[Kind] = []

    @property
    def due(self) -> int:
        """Stream index at which something changes without a beat, at the earliest."""
        silent = self._history.silent_at
        return min(silent, *self._ends.values()) if self._ends else silent

    def begin(self, first: int) -> None:
        """Note that the stream begins at index ``first``: what held before ends after it."""
        self._ends = dict.fromkeys(self._ends, first + LINGER_S * RATE)

    def show(self, kind: Kind, at: int) -> bool:
        """Take that the signal's shape shows a rhythm up to index ``at``; tell whether it holds."""
        row = next((row for row in self._rows if row.kind == kind), None)
        if row is None:
            return False
        if kind not in self._ends:
            self._shown.append(kind)
        self._hold(row, at)
        return True

    def is_shown(self, kind: Kind) -> bool:
        """Tell whether it was the signal's shape by which a rhythm that holds has begun."""
        return kind in self._shown

    def beat(self, at: int, letter: str, rr: int | None) -> list[Condition]:
        """Take the next beat and return what changes by it, and did until then."""
        changes = self._pass(at, at - 1)
        return changes + self._find(self._history.beat(at, letter, rr))

    def interrupt(self, at: int) -> list[Condition]:
        """Take that nothing reaches across index ``at``; return as `beat`."""
        changes = self._pass(at, at - 1)
        return changes + self._find(self._history.interrupt(at))

    def advance(self, to: int) -> list[Condition]:
        """Take that all up to index ``to`` is known; return as `beat`."""
        return self._pass(to, to)

    def _pass(self, silent_to: int, ends_to: int) -> list[Condition]:
        """Let time pass: beats cease to follow each other, conditions end."""
        changes: list[Condition] = []
        if not self._ends and self._history.silent_at > silent_to:
            return changes
        while True:
            silent = self._history.silent_at
            at, kind = min(((at, kind) for kind, at in self._ends.items()), default=(NEVER, ""))
            if silent <= min(silent_to, at):
                changes += self._find(self._history.interrupt(silent))
            elif at <= ends_to:
                del self._ends[kind]
                self._shown = [one for one in self._shown if one != kind]
                changes.append(Condition(kind, False, at))
            else:
                return changes

    def _find(self, seen: Seen) -> list[Condition]:
        changes = []
        for rank in self._of_normal if seen.is_normal else range(len(self._rows)):
            row = self._rows[rank]
            if not row.pattern.found(seen):
                continue
            holds = row.kind in self._ends
            if not holds and self._hidden(row, self._rows[:rank]):
                continue
            self._hold(row, seen.at)
            if not holds:
                changes.append(Condition(row.kind, True, seen.at))
        return changes

    def _hold(self, row: Row, at: int) -> None:
        end = at + row.linger_s * RATE
        self._ends[row.kind] = max(self._ends.get(row.kind, end), end)

    def _hidden(self, row: Row, above: tuple[Row, ...]) -> bool:
        return any(worse.kind in self._ends and row.hidden_by(worse) for worse in above)
