"""A sink that appends all but the drawn signal to a file, a JSON object a line."""

from collections.abc import Sequence
from pathlib import Path

from ecgmon.core.errors import UsageError
from ecgmon.wire import messages
from monitor.network.host import Host
from monitor.sinks.base import Sink


class JsonLines(Sink):
    """Appends to a file.

    Parameters
    ----------
    path : Path
        The file; it is made where it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")

    def publish(self, published: Sequence[messages.Published]) -> None:
        """Append messages, as a viewer would receive them."""
        for message in published:
            if not isinstance(message, messages.Trace):
                self._file.write(messages.encode(message) + b"\n")

    def flush(self) -> None:
        """Hand the lines to the system."""
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def listen(endpoints: tuple[str, ...], host: Host) -> JsonLines:
    """Open an endpoint such as ``file:///var/log/ecgmon.jsonl``."""
    if len(endpoints) > 1:
        raise UsageError(f"Only one file can be written: leave {endpoints[1]} out.")
    path = Path(endpoints[0].removeprefix("file://"))
    try:
        return JsonLines(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}): name another.") from error
