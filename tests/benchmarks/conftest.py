import importlib
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def benchmark_of():
    """Imports a benchmark by its name, and those that it uses."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
        yield importlib.import_module
