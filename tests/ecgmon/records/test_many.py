"""Many records: the problems of all of them are reported together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.core.errors import RecordError, RecordMissingError
from ecgmon.records.many import each
from ecgmon.records.record import Found


def fetch(name):
    """Return or raise by the first letter: a record, a refusal, a missing record or no network."""
    match name[0]:
        case "n":
            raise RecordMissingError(f"{name} cannot be fetched") from OSError()
        case "a":
            raise RecordMissingError(f"{name} is nowhere") from FileNotFoundError()
        case "b":
            raise RecordError(f"{name} is damaged")
    return Found(name, name, name)


NAMES = st.lists(st.sampled_from("gabn"), max_size=8).map(
    lambda kinds: [f"{kind}{i}" for i, kind in enumerate(kinds)]
)


@pytest.fixture(scope="module", autouse=True)
def nothing_is_here(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ECGMON_DATA", raising=False)
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@given(NAMES, st.booleans())
def test_every_bad_one_is_named_and_every_good_one_done(names, keep_going):
    tried = []

    def noted(name):
        tried.append(name)
        return fetch(name)

    # Once the network cannot be reached, only what is here is looked for, and here is nothing.
    cut = next((i for i, name in enumerate(names) if name[0] == "n"), len(names))
    good = [name for name in names[:cut] if name[0] == "g"]
    bad = [name for name in names if name not in good]
    skipped = {} if keep_going else None
    if bad and not (keep_going and good):
        with pytest.raises(RecordError) as refused:
            each(names, lambda found: found.wearer, fetch=noted, skipped=skipped)
        for name in bad:
            assert name in str(refused.value)
        if len(bad) > 1:
            assert f"{len(bad)} of {len(names)} records cannot be used" in str(refused.value)
        assert not skipped
    else:
        done = each(names, lambda found: found.wearer, fetch=noted, skipped=skipped)
        assert done == [(name, name) for name in good]
        assert list(skipped or {}) == bad
    assert tried == names[: cut + 1]
