"""Results of jobs as they are kept, each with what made it."""

import json
from pathlib import Path
from typing import Any


def path_of(folder: Path, name: str) -> Path:
    """Return the file of a job's result."""
    return folder / f"{name}.json"


def result_of(folder: Path, name: str) -> dict[str, Any] | None:
    """Return a job's *result* with *seed*, *code* and *processor_s*.

    None where there is none, or none that can be read: then it is made again.
    """
    try:
        found = json.loads(path_of(folder, name).read_bytes())
    except (OSError, ValueError):
        return None
    known = isinstance(found, dict) and {"seed", "code", "processor_s", "result"} <= found.keys()
    return found if known else None
