"""Who searches which group of patients: claims in the storage that machines share.

The first study of a group stands for it. Whoever creates it has the group; it is marked done when
the whole group's trials are stored.
"""

import contextlib
import os
import socket
import time
from collections.abc import Mapping, Sequence
from typing import Final

import optuna
from optuna.exceptions import DuplicatedStudyError
from optuna.storages import BaseStorage

from ecgmon.errors import UsageError

STALE_S: Final = 1800
"""A claim of another machine this old is taken for abandoned."""
_CLAIM: Final = "claim"
_DONE: Final = "done"


def open_storage(url: str) -> BaseStorage:
    """Open an Optuna storage, SQLite or any other that Optuna knows.

    Raises
    ------
    UsageError
        If it cannot be opened.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.storages.get_storage(url)
    except Exception as error:  # each database driver has its own errors
        raise UsageError(
            f"The storage {url.partition('://')[0]}://... cannot be opened: give a URL that "
            "Optuna knows, such as sqlite:///study.db, and install its database's driver."
        ) from error


def claim(names: Sequence[str], storage: BaseStorage) -> bool:
    """Take a group of studies if it is nobody's; tell whether it is now ours to search."""
    with contextlib.suppress(KeyError):
        attributes = optuna.load_study(study_name=names[0], storage=storage).user_attrs
        if _DONE in attributes or not _abandoned(attributes.get(_CLAIM)):
            return False
        for name in names:
            with contextlib.suppress(KeyError):
                optuna.delete_study(study_name=name, storage=storage)
    try:
        study = optuna.create_study(study_name=names[0], storage=storage, direction="maximize")
    except DuplicatedStudyError:
        return False
    study.set_user_attr(_CLAIM, [socket.gethostname(), os.getpid(), time.time()])
    return True


def _abandoned(claim: object) -> bool:
    """Tell whether whoever made a claim is gone. This process has at most one at a time."""
    match claim:
        case [str(host), int(pid), float(since)]:
            if host == socket.gethostname():
                return pid == os.getpid() or not _runs(pid)
            return time.time() - since > STALE_S
        case _:  # killed before it was written
            return True


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def is_done(names: Sequence[str], storage: BaseStorage) -> bool:
    """Tell whether a group is stored whole."""
    return _DONE in optuna.load_study(study_name=names[0], storage=storage).user_attrs


def store(studies: Mapping[str, optuna.Study], storage: BaseStorage) -> None:
    """Store a claimed group's trials, then mark it done."""
    first, *others = studies
    for name in others:
        optuna.create_study(study_name=name, storage=storage, direction="maximize")
    for name, study in studies.items():
        stored = optuna.load_study(study_name=name, storage=storage)
        stored.add_trials(study.get_trials(deepcopy=False))
    optuna.load_study(study_name=first, storage=storage).set_user_attr(_DONE, value=True)
