"""The monitor's endpoint and key: one way to find them for all commands, and its errors."""

import re
import threading

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.core.errors import AccessError, EcgmonError, UsageError
from ecgmon.keys import PrivateKey
from ecgmon.keys.address import MonitorAddress
from ecgmon.wire import messages
from ecgmon_cli.where import CONFIGURED, where
from monitor.network.access import Access, authenticated, guard
from tests.support.keyring import OWN, PAIRS, STRANGER, keyring, viewer
from tests.support.subprocesses import ecgmon_each

FAR = "tcp://192.168.1.10"
WITHOUT_PORT = {"publish": f"{FAR}:5556", "ingest": f"{FAR}:5555"}


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Return a function that writes the configuration, the only source of the endpoints."""
    path = tmp_path / "ecgmon.toml"
    path.write_text("")
    monkeypatch.setenv("ECGMON_CONFIG", str(path))
    monkeypatch.setenv("ECGMON_STATE", str(tmp_path))
    for name in ("ECGMON_MONITOR", "ECGMON_KEY"):
        monkeypatch.delenv(name, raising=False)
    return path.write_text


@pytest.mark.parametrize(("side", "port"), [("publish", 5556), ("ingest", 5555)])
def test_an_option_goes_before_the_variable_before_the_configuration_before_the_default(
    config, monkeypatch, tmp_path, side, port
):
    assert where(side, None, None) == MonitorAddress(f"tcp://127.0.0.1:{port}")
    config(f'[network]\n{side} = "tcp://10.0.0.9:{port + 1}"\nkey = "mine.key"\n')
    configured = MonitorAddress(f"tcp://10.0.0.9:{port + 1}", tmp_path / "mine.key")
    assert where(side, None, None) == where(side, CONFIGURED, None) == configured
    monkeypatch.setenv("ECGMON_MONITOR", "tcp://10.0.0.8:7")
    monkeypatch.setenv("ECGMON_KEY", "/other.key")
    variable = where(side, None, None)
    assert (variable.endpoint, str(variable.key)) == ("tcp://10.0.0.8:7", "/other.key")
    given = where(side, "tcp://10.0.0.7:8", tmp_path / "given.key")
    assert given == MonitorAddress("tcp://10.0.0.7:8", tmp_path / "given.key")
    assert where(side, None, None, "tcp://10.0.0.6:9").endpoint == "tcp://10.0.0.6:9"
    with pytest.raises(UsageError, match="given twice"):
        where(side, "tcp://a:1", None, "tcp://b:2")


@pytest.mark.parametrize("side", WITHOUT_PORT)
def test_one_variable_without_a_port_serves_viewers_and_devices(config, monkeypatch, side):
    monkeypatch.setenv("ECGMON_MONITOR", FAR)
    assert where(side, None, None).endpoint == WITHOUT_PORT[side]
    config(f'[network]\n{side} = "tcp://0.0.0.0:7777"\n')
    assert where(side, None, None).endpoint == f"{FAR}:7777"


@pytest.mark.parametrize(
    ("bound", "near", "far"),
    [
        ('"tcp://0.0.0.0:1"', "tcp://127.0.0.1:1", "tcp://127.0.0.1:1"),
        ('"tcp://*:1"', "tcp://127.0.0.1:1", "tcp://127.0.0.1:1"),
        ('"tcp://[::]:1"', "tcp://[::1]:1", "tcp://[::1]:1"),
        ('["tcp://0.0.0.0:1", "ipc:///run/e"]', "ipc:///run/e", "tcp://127.0.0.1:1"),
        ('["tcp://127.0.0.1:*", "tcp://h:2"]', "tcp://h:2", "tcp://h:2"),
    ],
)
def test_what_a_monitor_is_bound_to_is_connected_to(config, tmp_path, bound, near, far):
    config(f"[network]\npublish = {bound}\n")
    assert where("publish", None, None).endpoint == near
    assert where("publish", None, tmp_path / "a.key").endpoint == far


def test_a_configured_key_is_not_shown_to_what_only_this_machine_reaches(config, tmp_path):
    config('[network]\nkey = "mine.key"\n')
    assert where("publish", None, None).key is None
    assert where("publish", "tcp://127.0.0.1:9", None).key is None
    assert where("publish", "tcp://ward:9", None).key == tmp_path / "mine.key"
    config('[network]\npublish = "tcp://0.0.0.0:5556"\nkey = "mine.key"\n')
    assert where("publish", None, None).key == tmp_path / "mine.key"


def test_complete_endpoints_on_the_command_line_need_no_configuration(config):
    config("this is none")
    assert where("publish", "tcp://127.0.0.1:5556", None).endpoint == "tcp://127.0.0.1:5556"
    with pytest.raises(UsageError, match="is not TOML"):
        where("publish", None, None)


ODD = (
    *("nowhere", "tcp://", "tcp://:5", "tcp://h:0", "tcp://h:65536", "tcp://h:x", "tcp://h:5/x"),
    *(
        "udp://h:5",
        "inproc://x",
        "ipc://",
        "http://h:5",
        "tcp://a b:5",
        " ",
        "tcp://\x1b[2J:5",
        "-",
    ),
    *(
        "tcp://h:5,tcp://h:6",
        "5556",
        "127.0.0.1:5556",
        f"ipc:///{'x' * 300}",
        "tcp://999.1.1.1.1:5",
    ),
)


@given(st.sampled_from(ODD) | st.text(min_size=1, max_size=30))
def test_any_text_is_an_endpoint_or_refused_in_one_sentence(text):
    try:
        found = where("publish", text, None)
    except EcgmonError as error:
        sentence = str(error)
        assert sentence.endswith(
            "is no endpoint to connect to: give one such as tcp://127.0.0.1:5556."
        )
        assert sentence.isprintable()
    else:
        assert re.match(r"(tcp|ipc)://\S+\Z", found.endpoint)


@pytest.mark.thorough
def test_every_command_refuses_an_odd_endpoint_alike(env, tmp_path):
    commands = [
        [*command, *option, text]
        for text in ("nowhere", "tcp://h:65536", f"ipc:///{'x' * 300}")
        for command, option in (
            (["view"], ["--monitor"]),
            (["view"], []),
            (["status"], ["--monitor"]),
            (["status"], []),
            (["alarms", "list"], ["--monitor"]),
            (["alarms", "list"], ["--endpoint"]),
            (["alarms", "history"], ["--monitor"]),
            (["replay", "--simulate", "normal"], ["--connect"]),
            (["replay", "--simulate", "normal"], ["--monitor"]),
        )
    ]
    for args, outcome in zip(commands, ecgmon_each(commands, tmp_path, env), strict=True):
        assert (outcome.code, outcome.out) == (2, ""), args
        *notices, line = outcome.err.splitlines()
        old = ["--endpoint is now called --monitor."] if "--endpoint" in args else []
        bare = "status" in args or "view" in args
        assert notices in (old, ["ENDPOINT is now called --monitor ENDPOINT."] if bare else old)
        assert line.startswith(f"Error: {args[-1][:90]}")
        assert "is no endpoint to connect to: give one such as tcp://127.0.0.1:555" in line


@pytest.fixture
def desk(tmp_path):
    """An endpoint that demands keys and knows two, at which a monitor would answer."""
    store = keyring(tmp_path / "keys")
    store.add(viewer("old", PAIRS[2], "*"))
    store.revoke("old")
    context = zmq.Context()
    with authenticated(context, Access(store)), context.socket(zmq.ROUTER) as socket:
        socket.linger = 0
        ends = []
        for address in ("0.0.0.0", "127.0.0.1"):  # noqa: S104 - with keys
            guard(socket, f"tcp://{address}:*", OWN)
            ends.append(f"tcp://127.0.0.1:{socket.bind_to_random_port(f'tcp://{address}')}")
        ended = threading.Event()

        def answer():
            while not ended.is_set():
                if socket.poll(20):
                    peer, _ = socket.recv_multipart()
                    socket.send_multipart([peer, messages.encode(messages.Subscribed())])

        thread = threading.Thread(target=answer)
        thread.start()
        yield ends
        ended.set()
        thread.join()
    context.term()


REFUSED = {
    "not known": (STRANGER.to(OWN), "The monitor does not accept this key: it is not known there"),
    "revoked": (
        PAIRS[2],
        "not accept this key: it is not known there, or revoked",
    ),
    "another monitor's": (PAIRS[1].to(STRANGER), "this key: it was made for another monitor"),
    "none": (None, "The monitor asks for a key at tcp://127.0.0.1:.*: give one with --key FILE or"),
}


@pytest.mark.thorough
def test_a_key_that_is_not_accepted_says_so_and_one_that_is_known_is_let_in(desk, env, tmp_path):
    far, plain = desk
    commands, expected = [], []
    for number, (key, sentence) in enumerate(REFUSED.values()):
        with_key = []
        if key:
            PrivateKey.create(key, tmp_path / f"{number}.key")
            with_key = ["--key", tmp_path / f"{number}.key"]
        commands += [
            ["status", "--monitor", far, *with_key],
            ["view", "--monitor", far, *with_key],
            ["replay", "--simulate", "normal", "--no-view", "--connect", far, *with_key],
        ]
        expected += [sentence] * 3
    PrivateKey.create(PAIRS[1], tmp_path / "a.key")
    commands.append(["status", "--monitor", plain])
    expected.append("The monitor takes no key at|none is asked for at")
    named = env | {"ECGMON_MONITOR": far, "ECGMON_KEY": str(tmp_path / "a.key")}
    commands.append(["status"])
    refused = ecgmon_each(commands[:-2], tmp_path, env)
    (tmp_path / "named").mkdir()
    one_too_many, good = ecgmon_each(commands[-2:], tmp_path / "named", named)
    refused.append(one_too_many)
    assert (good.code, good.out) == (0, f"{far}: 0 wearers\n")
    for args, sentence, outcome in zip(commands, expected, refused, strict=False):
        assert (outcome.code, outcome.out) == (2, ""), (args, outcome)
        (line,) = outcome.err.splitlines()
        assert re.search(sentence, line), line


def test_a_file_that_holds_no_key_is_refused(tmp_path):
    (tmp_path / "a.key").write_text("x")
    (tmp_path / "a.key").chmod(0o600)
    with pytest.raises(AccessError, match="holds no pair of keys"):
        _ = MonitorAddress("tcp://h:1", tmp_path / "a.key").secure
