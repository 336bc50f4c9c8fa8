"""Claims on groups of patients, in the storage that several machines share.

The first study of a group stands for it. Whoever creates it and finds its own claim on it has the
group; it is marked done when the whole group's trials are stored.
"""

import contextlib
import os
import socket
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import optuna
from optuna.exceptions import DuplicatedStudyError
from optuna.storages import BaseStorage

from ecgmon.core.errors import UsageError

STALE_S: Final = 1800
"""A claim this old of a process that cannot be looked at is taken for abandoned."""
SETTLE_S: Final = 2
"""A study without a claim is given so long to get one."""
_CLAIM: Final = "claim"
_DONE: Final = "done"
_TOKEN: Final = uuid.uuid4().hex


def open_storage(url: str) -> BaseStorage:
    """Open an Optuna storage, SQLite or any other that Optuna knows.

    Raises
    ------
    UsageError
        If it cannot be opened.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        try:
            return optuna.storages.get_storage(url)
        except Exception:  # noqa: BLE001 - another machine may be making the tables just now
            time.sleep(SETTLE_S)
            return optuna.storages.get_storage(url)
    except Exception as error:  # each database driver has its own errors
        raise UsageError(
            f"The storage {url.partition('://')[0]}://... cannot be opened: give a URL that "
            "Optuna knows, such as sqlite:///study.db, and install its database's driver."
        ) from error


def claim(names: Sequence[str], storage: BaseStorage) -> bool:
    """Take a group of studies if it is nobody's; tell whether it is now ours to search."""
    with contextlib.suppress(KeyError):
        known = _attributes(names, storage)
        if _CLAIM not in known:
            time.sleep(SETTLE_S)
            known = _attributes(names, storage)
        if _DONE in known or not _abandoned(known.get(_CLAIM)):
            return False
        for name in reversed(names):  # the one that stands for the group last
            with contextlib.suppress(KeyError):
                optuna.delete_study(study_name=name, storage=storage)
    try:
        study = optuna.create_study(study_name=names[0], storage=storage, direction="maximize")
        study.set_user_attr(
            _CLAIM, [_host(), _process(os.getpid()), os.getpid(), time.time(), _TOKEN]
        )
    except (DuplicatedStudyError, KeyError):
        return False
    return _is_ours(names, storage)


def is_done(names: Sequence[str], storage: BaseStorage) -> bool:
    """Tell whether a group is stored whole."""
    try:
        return _DONE in _attributes(names, storage)
    except KeyError:
        return False


def store(studies: Mapping[str, optuna.Study], storage: BaseStorage) -> None:
    """Store a group's trials and mark it done; drop them if the claim was lost meanwhile."""
    names = list(studies)
    with contextlib.suppress(DuplicatedStudyError, KeyError):
        if not _is_ours(names, storage):
            return
        for name in names[1:]:
            optuna.create_study(study_name=name, storage=storage, direction="maximize")
        for name, study in studies.items():
            stored = optuna.load_study(study_name=name, storage=storage)
            stored.add_trials(study.get_trials(deepcopy=False))
        optuna.load_study(study_name=names[0], storage=storage).set_user_attr(_DONE, value=True)


def _attributes(names: Sequence[str], storage: BaseStorage) -> dict[str, object]:
    return optuna.load_study(study_name=names[0], storage=storage).user_attrs


def _is_ours(names: Sequence[str], storage: BaseStorage) -> bool:
    match _attributes(names, storage).get(_CLAIM):
        case [_, _, _, _, token]:
            return bool(token == _TOKEN)
        case _:
            return False


def _abandoned(claim: object) -> bool:
    """Tell whether whoever made a claim is gone. This process has at most one at a time."""
    match claim:
        case [str(host), str(process), int(pid), float(since), str(token)]:
            if host == _host():
                return token == _TOKEN or process != _process(pid)
            return time.time() - since > STALE_S
        case _:  # killed before it was written
            return True


def _host() -> str:
    """Name what process ids are unique in: this boot of this machine, and its namespace."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:  # not Linux: no process can be looked at, claims go by their age
        return f"{socket.gethostname()} {_TOKEN}"


def _process(pid: int) -> str:
    """Return when a process started, so that a reused id is told; empty when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]
