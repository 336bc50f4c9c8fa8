"""The digest of what decides a result, from data alone.

A result is decided by the bits that the signal path gives, by the networks, by the settings, by who
is on which side of the split, by the seed, and by how networks are trained and judged. All of these
are given as data. No name of a module, class or function of this project is among them, so moving
and renaming code recomputes nothing. What data cannot say, the order of steps in a training loop
for example, has a *procedure* number beside the settings. It is raised by hand when such code
changes: in `trainer.training.fit`, in each recipe, in each job of
`trainer.evaluation.studies.study_jobs`, in `trainer.evaluation.results.protocols` and in the
benchmarks of alarms.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec


def digest(decided_by: Mapping[str, Any]) -> str:
    """Return the first 12 hexadecimal digits of the SHA-256 of data in canonical form."""
    return hashlib.sha256(canonical(decided_by)).hexdigest()[:12]


def canonical(decided_by: Mapping[str, Any]) -> bytes:
    """Return data as JSON with sorted keys and no spaces.

    Parameters
    ----------
    decided_by : mapping of str to Any
        Numbers, texts, sequences, mappings and data classes of such.

    Raises
    ------
    TypeError
        If something else is in it, a function for example: its name may change, and its address
        does with every process.
    """
    return msgspec.json.encode(dict(decided_by), order="deterministic", enc_hook=_as_data)


def _as_data(value: object) -> Any:  # noqa: ANN401 - whatever JSON takes
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{value!r} cannot decide a result: give it as numbers and texts.")
