"""The port of sinks: what takes all that the monitor publishes."""

from collections.abc import Sequence
from typing import Protocol

from ecgmon.wire import messages


class Sink(Protocol):
    """A sink of results: it takes all published messages, alarms once they are on disk.

    Those about a wearer come in order; those about others do not wait for them.

    All is called from the monitor's one thread, so nothing here may wait: what takes time belongs
    into a thread of the sink's own. A sink that raises is called again for the next messages, is
    logged and counted (``ecgmon_job_failures_total``), and raises the alarm *upkeep* if it goes on;
    neither the monitor nor the other sinks notice.
    """

    def publish(self, published: Sequence[messages.Published]) -> None:
        """Take the next messages: ``file.writelines(map(messages.encode, published))``."""

    def flush(self) -> None:
        """Pass on what was taken since the last call, at the end of a tick: ``file.flush()``."""

    def close(self) -> None:
        """Let go of everything, when the monitor stops: ``file.close()``."""
