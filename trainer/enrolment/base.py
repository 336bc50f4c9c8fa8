"""What every enrolment does around the making of its model: signal, labels, errors and store.

Modules that need torch, which takes seconds to load, are imported where they are used, so that an
impossible request is refused before.
"""

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ecgmon.core.constants import WINDOW
from ecgmon.core.errors import UsageError
from ecgmon.models.card import AnyCard, LabelSource
from ecgmon.models.resolve import stored
from ecgmon.terminal.screen import usable
from trainer.enrolment import signal, sources
from trainer.enrolment.request import EnrolmentRequest, FromKept, FromRecord, StoppedError

if TYPE_CHECKING:
    from trainer.enrolment.finished import AnyEnrolment

MadeT = TypeVar("MadeT")


class BaseEnrolment(ABC):
    """One enrolment: from a wearer's signal to a personal model that passes the gate.

    The constructor checks the request and reads the signal; it may follow a running monitor for
    minutes. `run` then makes the model.

    Parameters
    ----------
    request : EnrolmentRequest
        The request.

    Attributes
    ----------
    notice : str
        Notice on the signal for the user before `run`; may be empty.

    Raises
    ------
    EcgmonError
        If the request cannot be carried out.
    StoppedError
        On Ctrl-C while a monitor is followed.
    """

    def __init__(self, request: EnrolmentRequest) -> None:
        self._request = request
        base = self._load_models()
        sources.require_room(request.patient)
        kept = request.source.labels if isinstance(request.source, FromKept) else None
        if request.labels == "review":
            require_terminal("--review needs one to judge beats in", request)
        elif not (request.labels or kept or isinstance(request.source, FromRecord)):
            require_terminal(
                f"nothing says what is normal in what {request.patient}'s device sends", request
            )
        self._record, self.notice = sources.take(request)
        signal.require_length(self._record)
        windows = len(self._record.samples) // WINDOW
        signal.require_eligible(base, self._record.name, windows, windows)
        annotated = self._record.annotations is not None
        given = kept or request.labels
        self._labels: LabelSource = given or ("annotations" if annotated else "review")
        self._reviewed = kept == "review"  # nothing is asked again

    def run(self) -> "AnyEnrolment | None":
        """Make the model, and put it into service if the gate has no objection.

        Returns
        -------
        AnyEnrolment or None
            None if the user left the review.

        Raises
        ------
        EcgmonError
            If the signal cannot be used for enrolment, or the model cannot be made or stored.
        StoppedError
            On Ctrl-C.
        """
        try:
            return self._run()
        except KeyboardInterrupt:
            raise StoppedError(
                f"Stopped: {self._request.patient}'s models are as they were, and answers given "
                "are kept."
            ) from None

    @abstractmethod
    def _load_models(self) -> AnyCard:
        """Load the model to start from and the one in service; return the former's card."""

    @abstractmethod
    def _run(self) -> "AnyEnrolment | None":
        """Make the model, and put it into service; None if the user left the review."""

    @property
    def _report(self) -> Path:
        """The report's file."""
        place = sources.place_of(self._record, self._request.patient)
        return place.with_suffix(sources.REPORTS[self._request.kind])

    def _store(self, make: Callable[[Path], MadeT]) -> tuple[MadeT, int]:
        """Have a bundle written, and store it; return what came of it and its version."""
        try:
            with tempfile.TemporaryDirectory() as folder:
                made = make(path := Path(folder) / "new.onnx")
                return made, stored().add(self._request.patient, path)
        except OSError as error:
            raise UsageError(
                f"The new model cannot be written in {tempfile.gettempdir()}: {error.strerror}."
            ) from error

    def _serve(self, version: int, objections: list[str]) -> bool:
        """Put a version into service unless there are objections that nobody overrules."""
        serves = self._request.force or not objections
        if serves:
            stored().activate(self._request.patient, version, forced=bool(objections))
        return serves


def require_terminal(why: str, request: EnrolmentRequest) -> None:
    """Raise `UsageError` if there is no terminal for a review."""
    if not usable():
        instead = ", or give --assume-normal" if request.kind == "window" else ""
        raise UsageError(
            f"This is no terminal, and {why}: run it in one to judge twenty beats{instead}."
        )
