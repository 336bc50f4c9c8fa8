"""Policy of each wearer from the configuration: model, alarm limits and lead."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.errors import UsageError
from ecgmon.wire import messages

USUAL_LEADS: Final = ("II", "MLII")
"""Leads preferred where none is configured; without one of them the device's first lead is used."""


@dataclass(frozen=True, slots=True)
class WearerPolicy:
    """The configured model, alarm limits and lead of each wearer, and the bounds on all of them.

    Parameters
    ----------
    resolve : callable
        Gives the path of a wearer's bundle; of the generic one for None.
    limits : callable
        Gives what raises and clears a wearer's alarms.
    lead : callable
        Gives the lead to use of a wearer's, None for the usual one.
    resolve_beats : callable
        Gives the path of the bundle that judges a wearer's beats; None where nobody judges them.
    resolve_rhythms, resolve_atrial : callable
        The same of a wearer's ventricular and atrial rhythms.
    stamp : callable
        Gives what is another one once other bundles may judge a wearer; None where nobody can tell.
    capacity : int
        Most streams at once; a monitor keeps to the one it began with.
    forget_s : float
        A wearer whose device is silent for so long is watched no more.
    """

    resolve: Callable[[str | None], Path]
    limits: Callable[[str], AlarmLimits] = field(default=lambda _: AlarmLimits())
    lead: Callable[[str], str | None] = field(default=lambda _: None)
    resolve_beats: Callable[[str], Path | None] = field(default=lambda _: None)
    resolve_rhythms: Callable[[str], Path | None] = field(default=lambda _: None)
    resolve_atrial: Callable[[str], Path | None] = field(default=lambda _: None)
    stamp: Callable[[str], object | None] = field(default=lambda _: None)
    capacity: int = 64
    forget_s: float = 86_400.0

    def lead_of(self, hello: messages.Hello) -> str:
        """Return which of a device's leads is used; raises `UsageError` if it lacks the wanted."""
        configured = self.lead(hello.wearer)
        if configured is not None and configured not in hello.leads:
            raise UsageError(
                f"{hello.wearer} is to be watched by lead {configured}, and the device has "
                f"{', '.join(hello.leads)}."
            )
        return configured or next(
            (lead for lead in USUAL_LEADS if lead in hello.leads), hello.leads[0]
        )
