"""Keys from the command line: made, added, listed, bound and revoked."""

import json
import stat

import pytest
import zmq
from typer.testing import CliRunner

from ecgmon.core.errors import UsageError
from ecgmon.keys import KeyStore, PrivateKey
from ecgmon_cli.keys import app
from tests.support.subprocesses import ECGMON, ecgmon, shell

PUBLIC = zmq.curve_keypair()[0].decode()


def keys(*args):
    """Run ``ecgmon keys`` in this process; returns what it writes."""
    done = CliRunner().invoke(app, args, env={"COLUMNS": "100"}, catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The folder that commands run in."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def store(env, tmp_path, monkeypatch):
    """The store of the user whose environment it is, in this process too."""
    folder = tmp_path / "home/.local/state/ecgmon"
    monkeypatch.setenv("ECGMON_STATE", str(folder))
    return KeyStore(folder / "keys")


def test_keys_are_made_added_listed_bound_and_revoked(here, store):
    calls = {
        ("make", "ann-watch", "--device", "ann"): "ann-watch may send as ann. Its private key is "
        "in ann-watch.key.\n",
        ("add", "desk", "--viewer", "ann", "--viewer", "bob", "--", PUBLIC): "desk may see ann, "
        "bob.\n",
        ("make", "nurse", "--all", "--acknowledge", "-o", "n"): "nurse may see all wearers and "
        "acknowledge. Its private key is in n.\n",
        (
            "bind",
            "desk",
            "--viewer",
            "bob",
            "--acknowledge",
        ): "desk may see bob and acknowledge.\n",
        ("bind", "ann-watch", "--device", "bob"): "ann-watch may send as bob.\n",
        ("revoke", "nurse"): "nurse is revoked.\n",
    }
    for call, expected in calls.items():
        assert keys(*call) == expected
    output = keys("list")
    shown = [line.split()[:4] for line in output.splitlines()]
    assert shown[1:] == [
        ["ann-watch", "send", "as", "bob"],
        ["desk", "see", "bob", "and"],
        ["nurse", "nothing", *[f"{store.get('nurse').made:%Y-%m-%d}"] * 2],
    ]
    listed = {key["name"]: key for key in json.loads(keys("list", "--json", "-"))}
    assert list(listed) == store.names() == ["ann-watch", "desk", "nurse"]
    assert (listed["ann-watch"]["role"], listed["ann-watch"]["wearer"]) == ("device", "bob")
    assert (listed["desk"]["wearers"], listed["desk"]["public"]) == (["bob"], PUBLIC)
    assert [key["revoked"] is None for key in listed.values()] == [True, True, False]
    files = {name: PrivateKey.read(here / name) for name in ("ann-watch.key", "n")}
    assert files["ann-watch.key"].public == listed["ann-watch"]["public"]
    own = store.own().public
    assert {key.server for key in files.values()} == {own}
    assert keys("server") == f"{own}\n"


def test_a_private_key_passes_through_a_pipe_to_where_it_is_used(env, here):
    line = f"{ECGMON} keys make desk --viewer ann -o - | (umask 077; cat > key)"
    outcome = shell(line, env)
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    assert PrivateKey.read(here / "key").server
    assert list(here.iterdir()) == [here / "key"]


def test_nobody_else_can_read_a_private_key_whatever_the_umask(env, here, store):
    outcome = shell(f"umask 000; {ECGMON} keys make ann-watch --device ann", env)
    assert outcome.code == 0
    for file in (here / "ann-watch.key", store.folder / "monitor.key"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700


def test_the_monitor_s_key_may_lie_elsewhere(here, store):
    own = PrivateKey.generate()
    own.create(here / "own")
    assert keys("server", "--monitor-key", "own") == f"{own.public}\n"
    keys("make", "desk", "--all", "--monitor-key", "own")
    assert PrivateKey.read(here / "desk.key").server == own.public
    assert not (store.folder / "monitor.key").exists()


def test_what_cannot_be_done_is_one_sentence_and_leaves_nothing_behind(env, here, store):
    exposed = here / "exposed"
    PrivateKey.generate().create(exposed)
    exposed.chmod(0o644)
    one = "The key needs a purpose: give one of --device, --viewer and --all."
    wearer = (
        "'../x' cannot be a wearer's id: take up to 64 letters, digits, '.', '_' or '-', a letter "
        "or digit first."
    )
    calls = {
        ("make", "desk"): one,
        ("make", "desk", "--all", "--device", "ann"): one,
        ("make", "desk", "--all", "--viewer", "ann"): one,
        ("make", "desk", "--device", "ann", "--acknowledge"): "A device cannot acknowledge alarms: "
        "leave --acknowledge out.",
        ("make", "desk", "--device", "../x"): wearer,
        ("make", "desk", "--viewer", "ann", "--viewer", "../x"): wearer,
        ("make", "../x", "--all"): "'../x' cannot be a key's name: take up to 64 "
        "letters, digits, '.', '_' or '-', a letter or digit first.",
        ("make", "desk", "--all", "-o", "exposed"): "exposed exists already: name another file.",
        ("make", "desk", "--all", "-o", "no/file"): "no/file cannot be written: No such file or "
        "directory.",
        ("server", "--monitor-key", "exposed"): "The key file exposed can be read or written by "
        "others than its owner: chmod 600 exposed.",
        (
            "add",
            "desk",
            "short",
            "--all",
        ): "'short' is not a public key: give 40 characters of Z85.",
        ("revoke", "nobody"): f"There is no key nobody in {store.folder}: ecgmon keys list shows "
        "them.",
        ("bind", "nobody", "--all"): f"There is no key nobody in {store.folder}: ecgmon keys list "
        "shows them.",
        ("list", "--json", "no/file"): "no/file cannot be written: No such file or directory.",
    }
    for call, expected in calls.items():
        with pytest.raises(UsageError) as refused:
            keys(*call)
        assert str(refused.value) == expected
    outcome = ecgmon("keys", "revoke", "nobody", env=env)
    expected = calls["revoke", "nobody"]
    assert (outcome.code, outcome.out, outcome.err) == (2, "", f"Error: {expected}\n")
    assert list(here.iterdir()) == [exposed]
    assert store.names() == []


def test_a_key_s_name_is_completed(env, here, store):
    keys("make", "ann-watch", "--device", "ann")
    words = {"_ECGMON_COMPLETE": "complete_bash", "COMP_WORDS": "ecgmon keys revoke a"}
    assert ecgmon(env=env | words | {"COMP_CWORD": "3"}).out.split() == ["ann-watch"]
