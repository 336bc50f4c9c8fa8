"""How wearers are watched: the model, limits and lead that the configuration gives each."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ecgmon.core.errors import UsageError
from ecgmon.wire import messages
from monitor.alarms.rules import Rules

USUAL_LEADS: Final = ("II", "MLII")
"""Taken where none is configured; else the first one."""


@dataclass(frozen=True, slots=True)
class WearerPolicy:
    """How wearers are watched.

    Parameters
    ----------
    resolve : callable
        Gives the path of a wearer's bundle; of the generic one for None.
    rules : callable
        Gives what raises and clears a wearer's alarms.
    lead : callable
        Gives the lead to use of a wearer's, None for the usual one.
    resolve_beats : callable
        Gives the path of the bundle that judges a wearer's beats; None where nobody judges them.
    capacity : int
        Most streams at once; a monitor keeps to the one it began with.
    forget_s : float
        A wearer whose device is silent for so long is watched no more.
    """

    resolve: Callable[[str | None], Path]
    rules: Callable[[str], Rules] = field(default=lambda _: Rules())
    lead: Callable[[str], str | None] = field(default=lambda _: None)
    resolve_beats: Callable[[str], Path | None] = field(default=lambda _: None)
    capacity: int = 64
    forget_s: float = 86_400.0

    def lead_of(self, hello: messages.Hello) -> str:
        """Return which of a device's leads is used; raises `UsageError` if it lacks the wanted."""
        wanted = self.lead(hello.wearer)
        if wanted is not None and wanted not in hello.leads:
            raise UsageError(
                f"{hello.wearer} is to be watched by lead {wanted}, and the device has "
                f"{', '.join(hello.leads)}."
            )
        return wanted or next((lead for lead in USUAL_LEADS if lead in hello.leads), hello.leads[0])
