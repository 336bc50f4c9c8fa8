"""Requests of viewers: acknowledge, pause, and look up the past."""

from collections.abc import Callable
from functools import partial

from ecgmon.core.errors import EcgmonError, UsageError
from ecgmon.wire import messages
from monitor.network.access import Access
from monitor.ops.logs import logger
from monitor.sinks.viewers import Request, Viewers
from monitor.storage.disk_jobs import ReadRequest
from monitor.storage.journal import Journal

Answer = Callable[[], None]

_log = logger(__name__)


class ViewerRequests:
    """Carries out what viewers ask for.

    Parameters
    ----------
    publisher : Viewers
        Answers them.
    act : callable
        Acknowledges and pauses; returns what changes by it, or raises `EcgmonError`.
    access : Access
        Whose past they may read.
    journal : Journal
        Where the past is looked up.
    later : callable
        Takes what is to be read in the storage thread.
    """

    def __init__(
        self,
        publisher: Viewers,
        act: Callable[[messages.Acknowledge | messages.Pause], list[messages.Published]],
        access: Access,
        journal: Journal,
        later: Callable[[ReadRequest], None],
    ) -> None:
        self._publisher = publisher
        self._act = act
        self._access = access
        self._journal = journal
        self._later = later

    def carry_out(self, request: Request) -> tuple[list[messages.Published], list[Answer]]:
        """Do what a viewer asks for; what is refused is answered at once, the past later.

        Returns
        -------
        list of Published
            What changes by it.
        list of callable
            Gives the answer; to be called once the change is on disk.
        """
        message = request.message
        if isinstance(message, messages.History):
            self._later(ReadRequest(lambda: self._past(request, message)))
            return [], []
        try:
            published = self._act(message)
        except EcgmonError as error:
            self._publisher.refuse(request, str(error))
            return [], []
        _log.info("request", wearer=message.wearer, by=message.by, request=repr(message))
        return published, [partial(self._publisher.answer, request, messages.Done())]

    def _past(self, request: Request, message: messages.History) -> Callable[[], None]:
        """Look up the past in the disk's thread; the answer is given in ours."""
        try:
            past = self._journal.past(message)
        except UsageError as error:
            reason = str(error)
            return lambda: self._publisher.refuse(request, reason)
        seen = [e for e in past.entries if self._access.may_read(request.user, e.wearer)]
        answer = messages.Past(entries=seen, before=past.before)
        return lambda: self._publisher.answer(request, answer)
