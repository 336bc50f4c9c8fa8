"""The keys of ``[alarms]``: when alarms are raised and cleared, for all wearers or for one."""

from dataclasses import fields
from typing import Annotated

from ecgmon.config.entry import Section, documented
from ecgmon.config.values import level, rate, run_rate
from ecgmon.core.alarm_limits import LONGEST, MOST_ABNORMAL, AlarmLimits, k_of_n
from ecgmon.core.rate_profiles import Profile
from ecgmon.core.rhythm_limits import (
    LONGEST_RUN,
    MOST_A_MINUTE,
    MOST_AN_HOUR,
    SHORTEST_RUN,
    Level,
    RhythmLimits,
)


class AlarmsSection(Section, frozen=True):
    """When alarms are raised and cleared. A table [wearers.ID] changes this for one wearer."""

    # The defaults are those of `AlarmLimits` and of an adult, which tests/ecgmon/config holds.

    profile: Annotated[
        Profile,
        documented(
            "Take the limits of the heart rate that this table does not name for an adult, a child "
            "or a neonate (adult, child or neonate).",
            "adult, child or neonate",
        ),
    ] = "adult"
    abnormal: Annotated[
        str,
        documented(
            f"Raise *abnormal* at K abnormal of the last N seconds: K/N (N up to {MOST_ABNORMAL}).",
            f"K/N with K from 1 to N and N up to {MOST_ABNORMAL}, such as 3/10",
            pattern=r"^\d{1,3}/\d{1,3}\Z",
        ),
    ] = "3/10"
    clear_after: Annotated[
        int,
        documented(
            "Clear *abnormal* after this many seconds in a row without an abnormal one.",
            ge=1,
            le=LONGEST,
        ),
    ] = 30
    low_rate: Annotated[float, rate("low-rate", "below")] = 50.0
    high_rate: Annotated[float, rate("high-rate", "above")] = 120.0
    extreme_low_rate: Annotated[float, rate("extreme-low-rate", "below")] = 35.0
    extreme_high_rate: Annotated[float, rate("extreme-high-rate", "above")] = 150.0
    silent_s: Annotated[
        float,
        documented(
            "Raise *silent* after this many seconds without samples from an open stream.",
            ge=1,
            le=LONGEST,
        ),
    ] = 10.0
    lag_s: Annotated[
        float,
        documented("Raise *lag* when samples arrive this many seconds late.", ge=1, le=LONGEST),
    ] = 5.0
    paced: Annotated[
        bool,
        documented(
            "The wearer has a pacemaker: beats that follow its spikes are neither ectopic nor "
            "abnormal.",
            "true or false",
        ),
    ] = False

    ventricular_fibrillation: Annotated[
        Level, level("ventricular-fibrillation", "flutter among it, by the shape of the signal")
    ] = "high"
    atrial_fibrillation: Annotated[
        Level, level("atrial-fibrillation", "uneven intervals without P waves for half a minute")
    ] = "low"
    ventricular_tachycardia: Annotated[
        Level, level("ventricular-tachycardia", "ventricular beats in a row at a high rate")
    ] = "high"
    ventricular_tachycardia_beats: Annotated[
        int,
        documented(
            "Name this many ventricular beats in a row a tachycardia or an idioventricular "
            "rhythm; fewer are a run, from 3 on.",
            ge=SHORTEST_RUN,
            le=LONGEST_RUN,
        ),
    ] = 5
    ventricular_tachycardia_rate: Annotated[float, run_rate("a tachycardia")] = 100.0
    idioventricular_rhythm: Annotated[
        Level, level("idioventricular-rhythm", "as many ventricular beats in a row at a lower rate")
    ] = "medium"
    ventricular_run: Annotated[
        Level, level("ventricular-run", "3 or more ventricular beats in a row, but fewer")
    ] = "medium"
    heart_pause: Annotated[
        Level,
        level("heart-pause", "an RR interval of 1.75 times the usual one, of 1 s above 120/min"),
    ] = "medium"
    r_on_t: Annotated[
        Level, level("r-on-t", "a ventricular beat in the T wave of the beat before")
    ] = "medium"
    supraventricular_run: Annotated[
        Level, level("supraventricular-run", "supraventricular beats in a row at a high rate")
    ] = "medium"
    supraventricular_run_beats: Annotated[
        int,
        documented(
            "Name this many supraventricular beats in a row a run.",
            ge=SHORTEST_RUN,
            le=LONGEST_RUN,
        ),
    ] = 3
    supraventricular_run_rate: Annotated[float, run_rate("a run")] = 100.0
    couplet: Annotated[Level, level("couplet", "two ventricular beats in a row")] = "low"
    bigeminy: Annotated[Level, level("bigeminy", "each second beat ventricular, three times")] = (
        "low"
    )
    trigeminy: Annotated[Level, level("trigeminy", "each third beat ventricular, three times")] = (
        "low"
    )
    ectopics_minute: Annotated[
        Level, level("ectopics-minute", "too many ectopic beats within a minute")
    ] = "low"
    ectopics_minute_beats: Annotated[
        int,
        documented("Allow this many ectopic beats within a minute.", ge=1, le=MOST_A_MINUTE),
    ] = 10
    ectopics_hour: Annotated[
        Level, level("ectopics-hour", "too many ectopic beats within an hour")
    ] = "low"
    ectopics_hour_beats: Annotated[
        int,
        documented("Allow this many ectopic beats within an hour.", ge=1, le=MOST_AN_HOUR),
    ] = 30

    @property
    def limits(self) -> AlarmLimits:
        """The limits that these keys set."""
        return AlarmLimits(
            abnormal=k_of_n(self.abnormal, self.clear_after),
            low_rate=self.low_rate or None,
            high_rate=self.high_rate or None,
            extreme_low_rate=self.extreme_low_rate or None,
            extreme_high_rate=self.extreme_high_rate or None,
            silent_s=self.silent_s,
            lag_s=self.lag_s,
            paced=self.paced,
            rhythms=RhythmLimits(
                **{field.name: getattr(self, field.name) for field in fields(RhythmLimits)}
            ),
        )

    def __post_init__(self) -> None:
        """Refuse limits that contradict each other; raises `LimitsError`."""
        _ = self.limits
