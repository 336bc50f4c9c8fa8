"""Set-up of all tests: the folder of real records, and repeatable hypothesis draws."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.internal.conjecture import providers

# Before any file imports it, whichever comes first.
pytest.register_assert_rewrite("tests.support.rig")

# Derandomised: every run draws the same examples, so a failure is never a matter of luck.
settings.register_profile("ecgmon", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("ecgmon")
# Hypothesis also draws the constants that it finds in the modules of this project that are loaded
# so far. Then a test draws something else alone than among others; so no module counts as local.
providers.is_local_module_file = lambda _: False

# In the background of a script or under nohup these are ignored, and would be by every program that
# a test starts. Those have the default again where there is a handler here, which passes them over.
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, lambda *_: None)


@pytest.fixture(autouse=True, scope="session")
def nobody_s_models(tmp_path_factory):
    """Keep what the user has enrolled, captured or trained out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECGMON_STATE", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session")
def mitdb():
    """Folder of the MIT-BIH Arrhythmia Database; tests that need it are skipped without it."""
    for folder in os.environ.get("ECGMON_DATA", "").split(os.pathsep):
        if folder and (Path(folder) / "mitdb" / "203.hea").is_file():
            return Path(folder) / "mitdb"
    return pytest.skip("needs the MIT-BIH records: set ECGMON_DATA to a folder that holds mitdb")
