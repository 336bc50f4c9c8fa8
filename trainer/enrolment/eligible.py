"""Check that a record can be enrolled on; loads no torch, so that it is quick."""

from ecgmon.core.errors import UsageError
from ecgmon.models.card import Card
from trainer.data.splits import ENROLMENT_S


def check(generic: Card, record: str, windows: int, seconds: int = ENROLMENT_S) -> None:
    """Raise `UsageError` where a record of so many windows is nothing to enrol a wearer on."""
    if record in {span.record for span in generic.trained_on}:
        raise UsageError(f"{generic.name} was trained on {record}: that would not be enrolment.")
    if windows < seconds:
        raise UsageError(
            f"{record} is too short: enrolment takes a record's first {seconds // 60} minutes."
        )
