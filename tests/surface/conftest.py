import pytest

from tests.support.subprocesses import environment


@pytest.fixture
def env(tmp_path):
    """No records, no network, an empty home."""
    return environment(tmp_path / "home")
