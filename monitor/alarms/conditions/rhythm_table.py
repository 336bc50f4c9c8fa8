"""The rhythms that have a name, from labelled beats alone: one row for each, the worst first.

The thresholds are those that vendors of bedside monitors publish for their arrhythmia analysis,
with two differences: a ventricular tachycardia is five beats or more at 100 a minute and above
(vendors: 5 or 6, at 100 to 130), and a run of three or four is named at any rate. From the vendors'
rules are:

- bigeminy and trigeminy after three cycles;
- a pause of 1.75 times the usual RR interval, of 1 s where the usual rate is above 120 a minute;
- R on T within 0.39 s, or 45 % of the usual RR interval where that is less, after the beat before,
  if a pause or another ventricular beat follows: else it may be the T wave itself;
- that a supraventricular run begins with an early beat;
- that counts of ectopic beats wait while a wearer is being learned, and are not announced while a
  ventricular rhythm is;
- that of several at once the worst is announced (`RhythmAnnouncements`).

More than 30 ectopic beats an hour are the "frequent" ones of Lown and Wolf (Circulation 44, 1971).

The letters of beats, and what totals of beats share, are in `ecgmon.core.rhythm_rules`.
"""

from dataclasses import dataclass
from typing import Final

from ecgmon.core.alarm_kinds import Kind
from ecgmon.core.rhythm_limits import SHORTEST_RUN, Level, RhythmLimits
from monitor.alarms.conditions.beat_patterns import (
    BeatPattern,
    Cycle,
    Early,
    EndedRun,
    Frequent,
    Late,
    Run,
    Shape,
)

LINGER_S: Final = 10
"""Seconds that a row holds after the last beat that fulfils it: one alarm, not many, where it comes
and goes."""

_RANK: Final[dict[Level, int]] = {"off": 0, "low": 1, "medium": 2, "high": 3}


@dataclass(frozen=True, slots=True)
class Row:
    """A rhythm with a name.

    Parameters
    ----------
    kind : Kind
        Its kind of alarm.
    text : str
        What a person reads.
    level : Level
        Its priority; *off* for none.
    pattern : BeatPattern
        What it asks of the beats.
    linger_s : int
        Seconds that it holds after the last beat that fulfils it.
    """

    kind: Kind
    text: str
    level: Level
    pattern: BeatPattern
    linger_s: int = LINGER_S

    def hidden_by(self, worse: "Row") -> bool:
        """Tell whether it is not announced while a row above it is.

        One of high priority always is, and none is hidden by one of a lower priority.
        """
        return self.level != "high" and _RANK[worse.level] >= _RANK[self.level]


def table(limits: RhythmLimits) -> tuple[Row, ...]:
    """Return the rows of a wearer, the worst first."""
    beats, rate = limits.ventricular_tachycardia_beats, limits.ventricular_tachycardia_rate
    tachycardia, slower = Run("V", beats, low=rate), Run("V", beats, high=rate)
    short = EndedRun("V", SHORTEST_RUN, beats - 1)
    atrial = Run(
        "S",
        limits.supraventricular_run_beats,
        low=limits.supraventricular_run_rate,
        sudden=True,
    )
    minute = Frequent(limits.ectopics_minute_beats, 60)
    hour = Frequent(limits.ectopics_hour_beats, 3600)
    return (
        Row(
            "ventricular-fibrillation",
            "ventricular fibrillation",
            limits.ventricular_fibrillation,
            Shape(),
        ),
        Row(
            "ventricular-tachycardia",
            "ventricular tachycardia",
            limits.ventricular_tachycardia,
            tachycardia,
        ),
        Row(
            "idioventricular-rhythm",
            "idioventricular rhythm",
            limits.idioventricular_rhythm,
            slower,
        ),
        Row("ventricular-run", "ventricular run", limits.ventricular_run, short),
        Row("heart-pause", "pause of the heart", limits.heart_pause, Late()),
        Row("r-on-t", "R on T", limits.r_on_t, Early()),
        Row("supraventricular-run", "supraventricular run", limits.supraventricular_run, atrial),
        Row("couplet", "ventricular couplet", limits.couplet, EndedRun("V", 2, 2)),
        Row("bigeminy", "ventricular bigeminy", limits.bigeminy, Cycle("NV")),
        Row("trigeminy", "ventricular trigeminy", limits.trigeminy, Cycle("NNV")),
        Row("ectopics-minute", "ectopic beats", limits.ectopics_minute, minute, 60),
        Row("ectopics-hour", "ectopic beats", limits.ectopics_hour, hour, 600),
    )
