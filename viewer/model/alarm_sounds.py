"""The alarm sound due for all wearers together."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from ecgmon.core.alarm_kinds import Priority

Key = tuple[str | None, int]
"""An alarm: wearer, None for the daemon itself, and number."""


class SoundingAlarm(Protocol):
    """An alarm that stands; `monitor.alarms.state_machine.Change` is one."""

    @property
    def kind(self) -> str:
        """What it is about."""

    @property
    def priority(self) -> Priority:
        """How soon somebody has to come."""

    @property
    def state(self) -> str:
        """*raised* and *latched* sound."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """How a priority sounds.

    Parameters
    ----------
    rings : int
        Of the bell, in one burst.
    repeat_s : float or None
        Seconds from burst to burst as long as it sounds; None: once.
    """

    rings: int
    repeat_s: float | None


PATTERNS: Final[dict[Priority, Pattern]] = {
    "high": Pattern(10, 10.0),
    "medium": Pattern(3, 25.0),
    "low": Pattern(1, None),
}
"""IEC 60601-1-8 asks for 10, 3, and 1 or 2 pulses in a burst, and for bursts 2.5 to 15 s apart in
high priority, 2.5 to 30 s in medium, and more than 15 s or no second one in low."""


@dataclass(frozen=True, slots=True)
class Sound:
    """The alarm sound of a moment.

    Parameters
    ----------
    priority : Priority or None
        The worst of the alarms that sound; None is silence.
    new : bool
        Whether one of them is heard for the first time: the burst comes at once.
    already_heard : frozenset of Key
        The alarms that sound and have been heard; not those that a worse one drowns.
    """

    priority: Priority | None = None
    new: bool = False
    already_heard: frozenset[Key] = frozenset()


SILENCE: Final = Sound()


def sound(
    active: Mapping[Key, SoundingAlarm],
    paused: Collection[tuple[str | None, str]],
    before: Sound = SILENCE,
) -> Sound:
    """Return the alarm sound that is due now.

    Alarms sound while they are raised or latched and their kind is not paused. Only the worst
    priority is heard. An alarm that a worse one drowned, or that was paused, is heard as a new one
    when its turn comes, unless it was heard before it was drowned.

    Parameters
    ----------
    active : mapping of Key to Standing
        The alarms of all wearers.
    paused : collection of (str or None, str)
        Wearers and the kinds that are paused for them.
    before : Sound
        The sound before this one.

    Returns
    -------
    Sound
        Equal input gives equal sound, but *new* only once.
    """
    audible: dict[Key, Priority] = {
        key: alarm.priority
        for key, alarm in active.items()
        if alarm.state in ("raised", "latched") and (key[0], alarm.kind) not in paused
    }
    priority = next((p for p in PATTERNS if p in audible.values()), None)
    worst = {key for key, its in audible.items() if its == priority}
    return Sound(
        priority, not worst <= before.already_heard, (before.already_heard & audible.keys()) | worst
    )
