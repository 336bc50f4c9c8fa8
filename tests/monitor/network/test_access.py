"""The rights of a key: its latest entry, looked up for each message."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecgmon.core.errors import AccessError
from ecgmon.keys import Device, KeyStore, Viewer
from monitor.network.access import LOCAL, Access
from monitor.ops.logs import quoted
from tests.support.keyring import PAIRS, STRANGER, device, keyring, viewer


@pytest.fixture
def store(tmp_path):
    return keyring(tmp_path / "keys")


@pytest.fixture
def access(store):
    return Access(store)


def test_without_keys_this_machine_may_everything_and_nobody_else_anything():
    access = Access()
    assert access.refresh() == {}
    for user, may in ((LOCAL, True), (PAIRS[0].public, False), ("", False)):
        assert access.may_write(user, "ann") == may
        assert access.may_read(user, "ann") == access.may_read(user, None) == may
        assert access.may_act(user, "ann") == access.may_act(user, None) == may


WEARERS = ("ann", "bob")
grants = st.builds(
    lambda name, wearer: device(f"k{name}", PAIRS[name], wearer),
    st.integers(0, 2),
    st.sampled_from(WEARERS),
) | st.builds(
    lambda name, wearers, acknowledge: viewer(f"k{name}", PAIRS[name], wearers, acknowledge),
    st.integers(0, 2),
    st.sampled_from([("ann",), ("bob",), ("ann", "bob"), "*"]),
    st.booleans(),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(grants | st.integers(0, 2) | st.none(), max_size=12))
def test_the_latest_change_of_a_key_decides_what_it_may_do(tmp_path_factory, changes):
    store = KeyStore(tmp_path_factory.mktemp("keys") / "keys")
    access = Access(store)
    live, revoked, seen = {}, set(), {}
    for change in changes:
        match change:
            case None:  # the monitor looks
                found_messages = access.refresh()
                gone = {user for user, key in seen.items() if live.get(user) != key}
                assert found_messages == {user: seen[user].name for user in gone}
                seen = dict(live)
            case int():
                if PAIRS[change].public in live:
                    store.revoke(f"k{change}")
                    revoked.add(live.pop(PAIRS[change].public).name)
            case _ if change.name not in revoked:
                known = change.public in live
                (store.bind if known else store.add)(change)
                live[change.public] = change
        for pair in PAIRS:
            assert_may_exactly(access, pair.public, seen.get(pair.public))


def assert_may_exactly(access, user, key):
    for wearer in (*WEARERS, "eve", None):
        sees = isinstance(key, Viewer) and (
            wearer is None or key.wearers == "*" or wearer in key.wearers
        )
        acts = sees and key.acknowledge and (wearer is not None or key.wearers == "*")
        assert access.may_read(user, wearer) == sees
        assert access.may_act(user, wearer) == acts
        assert access.may_write(user, wearer) == (isinstance(key, Device) and key.wearer == wearer)


def test_a_change_within_one_step_of_the_clock_is_not_missed(store, access, monkeypatch):
    at = store.folder.stat().st_mtime_ns
    store.revoke("ann-watch")
    os.utime(store.folder, ns=(at, at))
    monkeypatch.setattr("time.time", lambda: at / 1e9 + 60)  # however late the next look is
    assert access.refresh() == {PAIRS[0].public: "ann-watch"}


def test_what_has_not_changed_is_not_read_again(store, access):
    os.utime(store.folder, (1, 1))
    access.refresh()
    with (store.folder / "ann-watch.json").open("wb"):  # nobody but a test edits in place
        pass
    assert access.refresh() == {}
    os.utime(store.folder, (2, 2))
    assert access.refresh() == {PAIRS[0].public: "ann-watch"}


def test_a_damaged_entry_gives_no_access_and_is_logged_once(store, access, caplog):
    (store.folder / "ann-watch.json").write_bytes(b"{")
    assert access.refresh() == {PAIRS[0].public: "ann-watch"}
    assert access.refresh() == {}
    assert not access.may_write(PAIRS[0].public, "ann")
    assert access.may_read(PAIRS[1].public, "ann")
    (found_messages,) = caplog.messages
    assert "ann-watch.json is damaged" in found_messages


def test_keys_that_cannot_be_read_for_a_while_stay_in_force(store, access, caplog):
    store.folder.chmod(0o777)
    assert access.refresh() == access.refresh() == {}
    assert access.may_write(PAIRS[0].public, "ann")
    (found_messages,) = caplog.messages
    assert "Others may write" in found_messages
    with pytest.raises(AccessError, match="Others may write"):
        Access(store)
    store.folder.chmod(0o700)
    store.revoke("ann-watch")
    assert access.refresh() == {PAIRS[0].public: "ann-watch"}


def test_without_its_folder_no_key_is_known(store, access):
    store.folder.rename(store.folder.with_name("gone"))
    assert access.refresh() == {PAIRS[0].public: "ann-watch", PAIRS[1].public: "desk"}
    assert not access.may_read(PAIRS[1].public, "ann")


def test_who_is_refused_is_logged_by_the_name_of_the_key_and_not_in_a_flood(store, caplog):
    store.revoke("desk")
    access = Access(store)
    for _ in range(50):
        for public in (PAIRS[1].public, STRANGER.public, PAIRS[2].public):
            assert not access.callback("ecgmon", public.encode())
    assert access.callback("ecgmon", PAIRS[0].public.encode())
    assert [record.getMessage() for record in caplog.records] == [
        f'event=key-refused key={quoted(PAIRS[1].public)} reason="desk is revoked"',
        f'event=key-refused key={quoted(STRANGER.public)} reason="not known"',
    ]
