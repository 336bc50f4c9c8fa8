"""`ecgmon fleet init` writes what real servers take, and users with no more rights than need be."""

import contextlib
import subprocess
import time
import tomllib

import pytest

from ecgmon.config import load
from ecgmon.core.errors import UsageError
from monitor.fleet import names
from monitor.fleet.alive import ALIVE
from monitor.fleet.fence import Fence, OwnerRecord
from monitor.fleet.joined import join
from monitor.fleet.link import FleetError, FleetLink
from monitor.fleet.pinned import PinnedConsumer
from monitor.fleet.setup import planned
from monitor.fleet.status import read_status
from tests.support.nats_server import InitializedFleet, binary, free_ports
from tests.support.subprocesses import ecgmon, environment


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    with InitializedFleet(tmp_path_factory.mktemp("one"), 1) as fleet:
        yield fleet


@contextlib.contextmanager
def connected(fleet, role):
    section = load(fleet.config(role)).config.fleet
    link = FleetLink(section.servers, role, section.credentials, section.certificates)
    try:
        yield link
    finally:
        link.close()


@pytest.fixture
def begun(fleet):
    link, partitions = join(load(fleet.config("gateway")).config.fleet)
    assert partitions == 32
    yield link
    link.close()


def heard_by(link, subject):
    """Listen, and tell whether anything came when what is done in the block was done."""
    heard = []

    async def begin():
        async def note(message):
            heard.append(message.data)

        await link.client.subscribe(subject, cb=note)
        await link.client.flush()

    link.run(begin())
    return heard


def test_the_servers_own_check_takes_every_configuration(tmp_path):
    port = free_ports(1)[0]
    for number in (1, 3):
        folder = tmp_path / str(number)
        done = ecgmon(
            *("fleet", "init", folder, "--servers", number, "--port", port),
            env=environment(tmp_path),
        )
        assert (done.code, done.err) == (0, "")
        for name in (f"n{one}" for one in range(1, number + 1)):
            checked = subprocess.run(  # noqa: S603 - the server's own check
                [binary(), "-t", "-c", "nats.conf"],
                cwd=folder / name,
                capture_output=True,
                text=True,
                check=False,
            )
            assert checked.returncode == 0, checked.stderr
            assert "sync_interval: always" in (folder / name / "nats.conf").read_text()


@pytest.mark.thorough
def test_secrets_are_their_owners_alone_and_nothing_is_replaced_unasked(tmp_path):
    folder, env = tmp_path / "fleet", environment(tmp_path)
    args = ("fleet", "init", folder, "--servers", "a.ward,b.ward,10.0.0.7")
    first = ecgmon(*args, env=env)
    assert first.code == 0, first.err
    files = [path for path in folder.rglob("*") if path.is_file()]
    secret = {"nats.conf", "server.key", "credentials", "ca.key"}
    assert {path.name for path in files if path.stat().st_mode & 0o077 == 0} == secret
    password = (folder / "monitor" / "credentials").read_text()
    assert password.strip().partition(":")[2] not in first.out
    section = tomllib.loads((folder / "monitor" / "ecgmon.toml").read_text())["fleet"]
    assert section["servers"] == [
        "nats://a.ward:4222",
        "nats://b.ward:4222",
        "nats://10.0.0.7:4222",
    ]
    assert section["replicas"] == 3
    again = ecgmon(*args, env=env)
    assert (again.code, again.out) == (2, "")
    assert "holds a fleet already" in again.err
    assert (folder / "monitor" / "credentials").read_text() == password
    assert ecgmon(*args, "--force", env=env).code == 0
    assert (folder / "monitor" / "credentials").read_text() != password


def test_own_certificates_are_taken_and_a_machine_without_openssl_asks_for_them(tmp_path):
    env = environment(tmp_path) | {"PATH": str(tmp_path / "empty")}
    args = ("fleet", "init", tmp_path / "fleet", "--servers", "n1")
    missing = ecgmon(*args, env=env)
    assert missing.code == 2
    assert "give your own with --cert, --key and --ca" in missing.err
    assert not (tmp_path / "fleet").exists()
    for name in ("cert", "key", "ca"):
        (tmp_path / name).write_text(name)
    own = [word for name in ("cert", "key", "ca") for word in (f"--{name}", tmp_path / name)]
    assert ecgmon(*args, *own, env=env).code == 0
    assert (tmp_path / "fleet" / "n1" / "server.key").read_text() == "key"
    assert not (tmp_path / "fleet" / "authority").exists()
    assert ecgmon(*args, *own[:2], "--force", env=env).code == 2


@pytest.mark.parametrize(
    "servers", ["0", "2", "10", "a,b", "a,a,a", "a,,b", "a b", "-x", "a,b;c,d", ""]
)
def test_what_is_no_fleet_is_refused_in_a_sentence(servers):
    with pytest.raises(UsageError, match=r"\.$"):
        planned(servers, 4222, None, 20.0)


def test_one_server_keeps_no_three_copies():
    with pytest.raises(UsageError, match="1 servers cannot keep 3 copies"):
        planned("1", 4222, 3, 20.0)
    assert planned("a,b,c", 4222, None, 20.0).replicas == 3
    assert planned("1", 4222, None, 20.0).replicas == 1


def test_each_part_may_do_its_work(fleet, begun):
    async def store():
        await begun.js.publish(names.incoming("ann"), b"x")
        return (await begun.js.get_last_msg(names.SAMPLES, names.samples("*", "ann"))).data

    assert begun.run(store()) == b"x"
    link, _ = join(load(fleet.config("monitor")).config.fleet)
    fence = Fence(link, 3)
    link.run(fence.take(OwnerRecord("m", 0.0)))
    link.run(fence.publish(names.rows(3), b"r"))
    link.run(fence.put(names.state_key(3, "ann"), b"s"))

    async def monitor():
        consumer = PinnedConsumer(link, 3)
        await consumer.ensure()
        await consumer.release()
        bucket = await link.js.key_value(names.STATES)
        await link.client.publish(ALIVE, b"{}")
        return await bucket.keys()

    assert link.run(monitor()) == [names.owner_key(3), names.state_key(3, "ann")]
    with connected(fleet, "viewer") as viewer:
        assert viewer.run(read_status(viewer), 20).partitions[3].owner == "m"

        async def results():
            reading = await viewer.js.subscribe(
                names.rows(3), stream=names.RESULTS, ordered_consumer=True
            )
            return (await reading.next_msg(5)).data

        assert viewer.run(results(), 8) == b"r"
    link.close()


@pytest.mark.thorough
def test_a_viewer_publishes_no_samples_and_no_results_and_reads_no_state(fleet, begun):
    before = begun.run(begun.js.stream_info(names.SAMPLES)).state.messages
    with connected(fleet, "viewer") as viewer:
        for subject in (names.incoming("ann"), names.rows(3), "$KV.ecgmon-states.3.wearer.ann"):
            with pytest.raises(FleetError, match="does not answer"):
                viewer.run(viewer.js.publish(subject, b"forged", timeout=0.5))
        for stream, subject in (
            (names.SAMPLES, "ecg.*.ann"),
            ("KV_ecgmon-states", "$KV.ecgmon-states.3.wearer.ann"),
        ):
            with pytest.raises(FleetError, match="does not answer"):
                viewer.run(
                    viewer.client.request(
                        f"$JS.API.DIRECT.GET.{stream}.{subject}", b"", timeout=0.5
                    )
                )
    assert begun.run(begun.js.stream_info(names.SAMPLES)).state.messages == before


def test_nobody_hears_what_is_answered_to_others(fleet, begun):
    with connected(fleet, "viewer") as viewer:
        heard = heard_by(viewer, "_INBOX_gateway.>") + heard_by(viewer, "ecg.>")
        begun.run(begun.js.publish(names.incoming("ann"), b"y"))
        time.sleep(0.3)
        assert heard == []


@pytest.mark.thorough
def test_who_has_no_password_is_not_let_in_and_the_password_is_not_told(fleet, tmp_path, capfd):
    section = load(fleet.config("viewer")).config.fleet
    wrong = tmp_path / "credentials"
    wrong.write_text("viewer:hunter2hunter2\n")
    for credentials in ("", str(wrong)):
        with pytest.raises(FleetError) as refused:
            FleetLink(section.servers, "x", credentials, section.certificates)
        assert "hunter2" not in str(refused.value)
        assert "uthorization" in str(refused.value)
    with pytest.raises(FleetError, match="No NATS server answers"):
        FleetLink(section.servers, "x", section.credentials)  # the certificate is not believed
    assert "hunter2" not in "".join(capfd.readouterr())


def test_a_password_in_an_address_is_refused_and_not_told(capfd):
    with pytest.raises(FleetError, match="put them into the file") as refused:
        FleetLink(("nats://ann:hunter2@127.0.0.1:4222",), "x")
    assert "hunter2" not in str(refused.value) + "".join(capfd.readouterr())


@pytest.mark.parametrize("text", ["", "viewer", "viewer:", ":secret", "a b:c", "\x00:x"])
def test_a_file_that_holds_no_credentials_is_not_quoted(tmp_path, text):
    file = tmp_path / "credentials"
    file.write_text(text)
    with pytest.raises(UsageError, match="holds no credentials: give fleet"):
        FleetLink(("nats://127.0.0.1:1",), "x", str(file))


def test_credentials_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        FleetLink(("nats://127.0.0.1:1",), "x", str(tmp_path / "none"))
