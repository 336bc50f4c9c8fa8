import pytest

from tests.ecgmon.export.kept import Kept


@pytest.fixture
def kept(tmp_path):
    return Kept(tmp_path)
