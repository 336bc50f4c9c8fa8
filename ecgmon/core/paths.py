"""Folders in which a monitor and its commands keep files."""

import os
from pathlib import Path

import platformdirs

from ecgmon.core.errors import UsageError


def state_folder() -> Path:
    """Return where all that is kept lies: ``$ECGMON_STATE``, else the user's own folder."""
    if given := os.environ.get("ECGMON_STATE"):
        return Path(given)
    try:
        return platformdirs.user_state_path("ecgmon", appauthor=False)
    except RuntimeError as error:
        raise UsageError(
            "This user has no home: name the folder to keep things in with $ECGMON_STATE."
        ) from error


def captured_folder() -> Path:
    """Return where ``ecgmon serve`` keeps what it captures."""
    return state_folder() / "captured"


def enrolments_folder() -> Path:
    """Return where ``ecgmon enroll`` keeps signals, reviews and reports, by wearer."""
    return state_folder() / "enrolments"
