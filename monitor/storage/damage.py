"""The alarm that the journal was damaged."""

from ecgmon.wire import messages
from monitor.alarms.alarm_messages import AlarmMessages


class JournalDamage:
    """Says that a journal was damaged, until somebody acknowledges it or the monitor is restarted.

    Parameters
    ----------
    own : AlarmMessages
        The alarms of the monitor itself.
    """

    def __init__(self, own: AlarmMessages) -> None:
        self._own = own
        self._known: str | None = None
        self._stands = False

    def is_news(self, damaged: str | None) -> bool:
        """Tell whether a journal was found damaged since `check` was called last."""
        return damaged != self._known

    def check(self, damaged: str | None) -> list[messages.Published]:
        """Tell of it; call it about once a second with what the journal says of itself."""
        published: list[messages.Published] = []
        if self.is_news(damaged):
            self._known, self._stands = damaged, True
            published += self._own.condition("journal", False)  # another one stands no more
        elif "journal" in self._own.acknowledged:
            self._stands = False
        return [*published, *self._own.condition("journal", self._stands, text=damaged)]
