"""What is kept of the enrolment whose model is in service; this module loads no torch."""

from ecgmon.core.errors import UsageError
from ecgmon.models.bundle import Model
from ecgmon.models.resolve import stored
from trainer.enrolment.request import FromKept


def in_service(wearer: str, annotator: str | None = None) -> FromKept:
    """Return what a wearer's model of windows in service was made from.

    Parameters
    ----------
    wearer : str
        Whose model.
    annotator : str, optional
        As in `FromKept`.

    Raises
    ------
    EcgmonError
        If no such model is in service, or its card does not say.
    """
    instead = "enrol with --record, --captured or --live"
    path = stored().in_service(wearer)
    if path is None:
        raise UsageError(f"No model of {wearer}'s own is in service to be made again: {instead}.")
    card = Model.load(path).card
    if card.enrolment is None:
        raise UsageError(f"The card of {card.name} does not say what it was made from: {instead}.")
    if annotator is not None and card.labels != "annotations":
        raise UsageError(
            f"The labels of {card.name} ({card.labels}) are no annotations: leave --annotator out."
        )
    return FromKept(card.enrolment, card.labels, annotator)
