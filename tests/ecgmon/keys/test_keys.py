"""Private key files and the store of known keys: nobody else's, never half, hostile until read."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import msgspec
import pytest
import zmq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.pretty import pretty_repr

from ecgmon.core.errors import AccessError
from ecgmon.keys import Device, KeyStore, PrivateKey, Viewer

MONITOR, PAIR, OTHER = PrivateKey.generate(), PrivateKey.generate(), PrivateKey.generate()
CLIENT = PAIR.to(MONITOR)
MADE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
on_one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def device(name="ann-watch", public=PAIR.public, wearer="ann"):
    return Device(name=name, public=public, made=MADE, wearer=wearer)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "ann.key"
    CLIENT.create(path)
    return path


@pytest.fixture
def store(tmp_path):
    return KeyStore(tmp_path / "state" / "keys")


def test_a_key_file_holds_what_was_written(file):
    assert PrivateKey.read(file) == CLIENT
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_key_file_is_its_owner_s_alone_whatever_the_umask(tmp_path, store, umask):
    before = os.umask(umask)
    try:
        CLIENT.create(tmp_path / "ann.key")
        store.own()
    finally:
        os.umask(before)
    assert mode(tmp_path / "ann.key") == mode(store.folder / "monitor.key") == 0o600
    assert mode(store.folder) == 0o700


def test_a_file_that_exists_is_not_written_over(file):
    with pytest.raises(AccessError, match="exists already: name another file"):
        OTHER.create(file)
    assert PrivateKey.read(file) == CLIENT
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("bit", [0o001, 0o002, 0o004, 0o010, 0o020, 0o040])
def test_a_key_file_that_others_may_touch_is_refused(file, bit):
    file.chmod(0o600 | bit)
    with pytest.raises(AccessError, match=f"by others than its owner: chmod 600 {file}.$"):
        PrivateKey.read(file)
    link = file.with_name("link")
    link.symlink_to(file)
    with pytest.raises(AccessError, match="chmod 600"):
        PrivateKey.read(link)
    file.chmod(0o400)
    assert PrivateKey.read(link) == CLIENT


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_file_of_somebody_else_is_refused(file):
    os.chown(file, 12345, -1)
    with pytest.raises(AccessError, match="belongs to somebody else: chown it"):
        PrivateKey.read(file)


def test_a_credential_of_systemd_is_read_and_no_more_open_file(file, monkeypatch):
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(file.parent))
    file.chmod(0o440)
    assert PrivateKey.read(file) == CLIENT
    for exposed in (0o444, 0o460):
        file.chmod(exposed)
        with pytest.raises(AccessError, match="chmod 600"):
            PrivateKey.read(file)
    file.chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(file.parent / "elsewhere"))
    with pytest.raises(AccessError, match="chmod 600"):
        PrivateKey.read(file)


def test_what_is_no_file_is_refused_and_holds_nobody_up(tmp_path):
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(AccessError, match="is no file"):
        PrivateKey.read(tmp_path / "pipe")
    with pytest.raises(AccessError, match="is no file"):
        PrivateKey.read(tmp_path)
    with pytest.raises(AccessError, match="No such file"):
        PrivateKey.read(tmp_path / "nosuch")


WRONG = {
    "nothing": b"",
    "another's public key": CLIENT.encode().replace(PAIR.public.encode(), OTHER.public.encode()),
    "a field too many": CLIENT.encode() + b'role = "viewer"\n',
    "no secret": b'public = "%s"\n' % PAIR.public.encode(),
    "a secret of the right length that is none": CLIENT.encode().replace(
        PAIR.secret.encode(), b"#" * 40
    ),
    "a secret twice": CLIENT.encode() + b'secret = "%s"\n' % PAIR.secret.encode(),
    "a megabyte": CLIENT.encode() + b"#" * 1_000_000,
    "brackets": b"a = " + b"[" * 4000,
    "no text": b"\xff\xfe" + CLIENT.encode(),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_file_without_a_pair_of_keys_is_refused_and_not_quoted(file, case):
    file.write_bytes(WRONG[case])
    with pytest.raises(AccessError) as refused:
        PrivateKey.read(file)
    assert str(refused.value) == (
        f"{file} holds no pair of keys: give a file that ecgmon keys make has written."
    )
    assert refused.value.__cause__ is None


@on_one_folder
@given(st.binary(max_size=300) | st.text(max_size=100).map(lambda text: text.encode()))
def test_no_content_of_a_key_file_raises_anything_else(file, data):
    file.write_bytes(data)
    with pytest.raises(AccessError):
        PrivateKey.read(file)


def test_the_secret_is_not_shown():
    shown = f"{CLIENT} {CLIENT!r} {[CLIENT]} {pretty_repr(CLIENT)}"
    assert shown.count(PAIR.public) == 4
    assert PAIR.secret not in shown


def test_a_key_without_a_monitor_s_connects_nowhere():
    context = zmq.Context()
    with context.socket(zmq.DEALER) as socket:
        with pytest.raises(AccessError, match="a monitor's own key"):
            PAIR.secure(socket)
        with pytest.raises(AccessError, match="no valid key of a monitor"):
            msgspec.structs.replace(PAIR, server="#" * 40).secure(socket)
        CLIENT.secure(socket)
        assert socket.mechanism == zmq.CURVE
    context.term()


def test_the_monitor_has_one_key_of_its_own_however_many_ask_first(store):
    with ThreadPoolExecutor(8) as threads:
        keys = list(threads.map(lambda _: store.own(), range(8)))
    assert len({key.public for key in keys}) == 1
    assert keys[0].server is None
    assert store.own() == keys[0]


def test_a_key_is_added_bound_revoked_and_stays_revoked(store):
    store.add(device())
    store.add(viewer := Viewer(name="desk", public=OTHER.public, made=MADE, wearers="*"))
    assert store.names() == ["ann-watch", "desk"]
    store.bind(device(wearer="bob"))
    assert store.get("ann-watch").wearer == "bob"
    store.revoke("ann-watch")
    revoked = store.get("ann-watch")
    assert revoked.revoked >= MADE
    store.revoke("ann-watch")
    assert store.load() == ([revoked, viewer], [])
    with pytest.raises(AccessError, match="ann-watch is revoked: make a new one"):
        store.bind(device(wearer="ann"))
    with pytest.raises(AccessError, match="There has been a key ann-watch before"):
        store.add(device(public=MONITOR.public))
    with pytest.raises(AccessError, match="This is the key ann-watch, known already"):
        store.add(device(name="again"))
    assert store.load() == ([revoked, viewer], [])


@pytest.mark.parametrize("name", ["", "../x", ".x", "a/b", "a\n", "x" * 65])
def test_a_name_is_safe_as_a_file_s(store, name):
    with pytest.raises(AccessError, match="cannot be a key's name"):
        store.add(device(name=name))
    assert store.names() == []


def test_what_could_not_be_read_again_is_not_stored(store):
    for wearers in ((), ("../x",), tuple(f"w{i}" for i in range(501))):
        with pytest.raises(AccessError, match="cannot be stored"):
            store.add(Viewer(name="desk", public=OTHER.public, made=MADE, wearers=wearers))
    store.add(Viewer(name="desk", public=OTHER.public, made=MADE, wearers=("ann",)))
    assert store.names() == ["desk"]


def test_a_folder_in_which_others_may_write_is_refused(store):
    store.add(device())
    store.folder.chmod(0o770)
    with pytest.raises(AccessError, match=f"Others may write in .*: chmod 700 {store.folder}"):
        store.load()


ENTRY = msgspec.json.encode(device())
mutated = st.builds(
    lambda at, cut, new: ENTRY[:at] + new + ENTRY[at + cut :],
    st.integers(0, len(ENTRY)),
    st.integers(1, 20),
    st.binary(max_size=8),
)


@on_one_folder
@given(st.binary(max_size=100) | mutated | st.just(b"[" * 50_000) | st.just(ENTRY + b" " * 70_000))
def test_a_damaged_entry_opens_nothing_and_hides_no_other(store, data):
    other = device(name="other", public=OTHER.public)
    if not store.names():
        store.add(other)
    (store.folder / "ann-watch.json").write_bytes(data)
    (store.folder / "renamed.json").write_bytes(ENTRY)
    keys, damaged = store.load()
    readable = [key for key in keys if key.name == "ann-watch"]
    assert [key for key in keys if key not in readable] == [other]
    assert len(readable) + len(damaged) == 2
    assert "renamed.json is damaged (it is that of ann-watch): remove it" in damaged[-1]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files for somebody else")
def test_what_root_makes_is_the_services(tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, 65_349, 65_349)
    store = KeyStore(state / "keys")
    first = store.own()
    for path in (store.folder, store.folder / "monitor.key"):
        assert (path.stat().st_uid, path.stat().st_gid) == (65_349, 65_349)
    assert stat.S_IMODE((store.folder / "monitor.key").stat().st_mode) == 0o600
    assert store.own() == first  # root may still read it
