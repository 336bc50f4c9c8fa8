"""What signals do to a daemon: SIGTERM and Ctrl-C stop it, SIGHUP lets it read its settings."""

import contextlib
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol, TypeVar

from ecgmon.core.errors import EcgmonError

if TYPE_CHECKING:
    from monitor.ops.systemd import SystemdNotifier

S = TypeVar("S")
S_contra = TypeVar("S_contra", contravariant=True)


class Daemon(Protocol[S_contra]):
    """What runs until it is stopped, by settings that may change."""

    def stop(self) -> None:
        """End soon; called by a signal handler."""

    def reload(self, settings: S_contra) -> None:
        """Use other settings; called from another thread."""


@contextlib.contextmanager
def handled(daemon: Daemon[S], service: "SystemdNotifier", read: Callable[[], S]) -> Iterator[None]:
    """Stop at SIGTERM and Ctrl-C, and read the configuration again at SIGHUP."""
    from monitor.ops.logs import logger

    log = logger(__name__)

    # Handlers interrupt anything, logging too: all they may do is what takes no lock.
    reloads: queue.SimpleQueue[bool] = queue.SimpleQueue()

    def stop(*_: object) -> None:
        service.stopping()
        daemon.stop()

    def reload() -> None:
        while reloads.get():
            service.reloading()
            try:
                daemon.reload(read())
                log.info("reloaded")
            except EcgmonError as error:
                log.error("reload-refused", reason=error)
            except Exception as error:
                log.exception("reload-refused", reason=repr(error))
            finally:
                service.ready()

    handlers = {
        signal.SIGTERM: stop,
        signal.SIGINT: stop,
        signal.SIGHUP: lambda *_: reloads.put(True),
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    thread = threading.Thread(target=reload, name="reload")
    thread.start()
    try:
        yield
    finally:
        reloads.put(False)
        thread.join()
        for number, handler in before.items():
            signal.signal(number, handler)
        service.close()
