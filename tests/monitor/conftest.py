import pytest

pytest.register_assert_rewrite("tests.monitor.rig")

from tests.monitor.rig import Rig  # noqa: E402 - its assertions are to be rewritten


@pytest.fixture
def rig(tmp_path):
    with Rig(tmp_path) as rig:
        yield rig
