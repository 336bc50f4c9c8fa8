"""SciPy's compiled filter without the package around it.

Of all of `scipy.signal` the chain needs one function. To import the package takes 50 MB of memory
and half a second, which on a small device is most of a monitor.
"""

from collections.abc import Callable
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

_NAME = "scipy.signal._sosfilt"
Filter = Callable[[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]], None]
"""Filters rows of float64, shape (r, n), in place by sections, shape (sections, 6), and carries
their state, shape (r, sections, 2)."""


def by_scipy(sos: NDArray[np.float64], x: NDArray[np.float64], state: NDArray[np.float64]) -> None:
    """Filter by `scipy.signal.sosfilt`; a `Filter`."""
    from scipy import signal

    x[:], after = signal.sosfilt(sos, x, axis=-1, zi=state.transpose(1, 0, 2))
    state[:] = after.transpose(1, 0, 2)


def fastest() -> Filter:
    """Return what `scipy.signal.sosfilt` calls after its checks, or `by_scipy`.

    The checks take 43 us, ten times what a short call takes.
    """
    try:
        module = _loaded()
        found: Filter = module._sosfilt
    except (AttributeError, ImportError):  # another scipy keeps it elsewhere
        return by_scipy
    return found


def _loaded() -> ModuleType:
    """Load the one extension module; raises `ImportError` if it is not where it was."""
    package = find_spec("scipy")
    for folder in (package and package.submodule_search_locations) or ():
        for suffix in EXTENSION_SUFFIXES:
            path = Path(folder, "signal", f"_sosfilt{suffix}")
            spec = spec_from_file_location(_NAME, path) if path.is_file() else None
            if spec and spec.loader:
                module = module_from_spec(spec)
                spec.loader.exec_module(module)
                return module
    raise ImportError(_NAME)
