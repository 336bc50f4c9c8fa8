"""Reading records, whatever their format."""

from ecgmon.records.formats import FORMATS
from ecgmon.records.record import Found, Record


def read(
    found: Found, *, lead: str | None = None, annotator: str | None = None, lenient: bool = False
) -> Record:
    """Read one lead of a record with its annotations, if there are any.

    Parameters
    ----------
    found : Found
        Where it is.
    lead : str, optional
        A name, or a number counted from 1; lead II when not given, the first ECG where there is no
        lead II.
    annotator : str, optional
        Whose annotations: for WFDB the suffix of their file. The reference's when not given.
    lenient : bool
        Whether damaged annotations are left out, with a notice, and the signal read all the same.

    Returns
    -------
    Record
        At the lead's own rate.

    Raises
    ------
    RecordError
        If it cannot be read, or has no such lead or annotator.
    """
    # Of what is no record at all, WFDB says what is missing.
    form = next((one for one in FORMATS if one.holds(found.path)), FORMATS[0])
    return form.read(found, lead=lead, annotator=annotator, lenient=lenient)
