import pytest

from tests.ecgmon.export.stored import StoredFiles


@pytest.fixture
def stored(tmp_path):
    return StoredFiles(tmp_path)
