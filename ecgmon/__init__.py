"""The ground of ecgmon, which all programs share: signal, models, records, wire, keys.

For notebooks and scripts, ``import ecgmon`` offers what is named in ``__all__``; each name loads
what it needs when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ecgmon.models.bundle import Model
    from ecgmon.offline import RecordVerdicts, judge_record, load_model, read_record
    from ecgmon.records.record import Record
    from ecgmon.signal.geometry import Geometry
    from ecgmon.signal.offline import detect_beats, process_record

__version__ = "0.2.0"

__all__ = [
    "Geometry",
    "Model",
    "Record",
    "RecordVerdicts",
    "detect_beats",
    "judge_record",
    "load_model",
    "process_record",
    "read_record",
]

_MODULES: Final = {
    "Geometry": "ecgmon.signal.geometry",
    "Model": "ecgmon.models.bundle",
    "Record": "ecgmon.records.record",
    "RecordVerdicts": "ecgmon.offline",
    "detect_beats": "ecgmon.signal.offline",
    "judge_record": "ecgmon.offline",
    "load_model": "ecgmon.offline",
    "process_record": "ecgmon.signal.offline",
    "read_record": "ecgmon.offline",
}


def __getattr__(name: str) -> object:
    """Load a public name; the command line starts without scipy and onnxruntime."""
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
