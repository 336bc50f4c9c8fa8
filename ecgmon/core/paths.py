"""Folders in which a monitor and its commands keep files."""

import os
import tempfile
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


def prepared_folder() -> Path:
    """Return where beats of other people are kept that an enrolment has prepared."""
    return Path(platformdirs.user_cache_dir("ecgmon", appauthor=False)) / "beats"


def require_writable(folder: Path, remedy: str = "name another") -> None:
    """Raise `UsageError` where nothing can be written into a folder, which need not exist yet."""
    try:
        there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        if not there.is_dir():
            raise UsageError(f"{there} is a file, not a folder: {remedy}.")
        with tempfile.TemporaryFile(dir=there):  # permissions alone do not say it
            pass
    except OSError as error:
        raise UsageError(
            f"Nothing can be written in the folder {folder} ({error.strerror}): {remedy}, or "
            "allow writing there."
        ) from error
