"""Fetching from a real HTTP server on this machine that is laid out as PhysioNet is."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import wfdb

from ecgmon.core.errors import RecordError, RecordMissingError
from ecgmon.records.fetch import obtain
from ecgmon.records.find import cache_directory
from ecgmon.records.read import read
from ecgmon.records.record import Found


class Handler(SimpleHTTPRequestHandler):
    def send_head(self):
        self.server.requests.append(self.path)
        if self.path in self.server.broken:
            self.send_error(500)
            return None
        return super().send_head()

    def log_message(self, *_):
        """Say nothing on standard error."""


class Archive:
    """A PhysioNet of one's own.

    The page of a database names its version; its files lie below that version.
    """

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.server.requests, self.server.broken = [], set()
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/"

    @property
    def requests(self):
        return self.server.requests

    def database(self, name="mitdb", version="1.0.0"):
        for page in (self.folder / "content" / name, self.folder / "content" / name / version):
            page.mkdir(parents=True, exist_ok=True)
            (page / "index.html").write_text(f"<p>Database</p>\n<p>Version: {version}</p>\n")
        return self.folder / "files" / name / version

    def stop(self):
        if self.thread.is_alive():
            self.server.shutdown()
            self.thread.join()
            self.server.server_close()


@pytest.fixture
def archive(tmp_path, monkeypatch):
    archive = Archive(tmp_path / "physionet")
    monkeypatch.setattr(wfdb.io.download, "PN_CONTENT_URL", archive.url + "content/")
    monkeypatch.setattr(wfdb.io.download.config, "db_index_url", archive.url + "files/")
    for proxy in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(proxy, "127.0.0.1")
    yield archive
    archive.stop()


def cached():
    """Everything in the cache, hidden and half-fetched files too."""
    folder = cache_directory()
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_a_record_is_fetched_into_the_cache_once(archive, write_record):
    served = write_record(archive.database(), "100")
    found = obtain("100")
    assert found == Found("mitdb/100", "100", cache_directory() / "mitdb" / "100")
    assert cached() == ["mitdb/100.atr", "mitdb/100.dat", "mitdb/100.hea"]
    for suffix in (".atr", ".dat", ".hea"):
        assert (found.path.parent / f"100{suffix}").read_bytes() == (
            served.path.parent / f"100{suffix}"
        ).read_bytes()
    got = read(found)
    assert got.annotations.symbols == ("N", "V", "N")
    assert "/files/mitdb/1.0.0/100.dat" in archive.requests
    archive.requests.clear()
    assert obtain("mitdb/100") == found
    assert archive.requests == []
    archive.stop()
    assert obtain("100") == found


def test_what_is_here_already_is_never_asked_for(archive, write_record, tmp_path, monkeypatch):
    write_record(archive.database(), "100")
    write_record(tmp_path / "data" / "mitdb", "100")
    assert obtain("100", data=tmp_path / "data").path == tmp_path / "data/mitdb/100"
    monkeypatch.setenv("ECGMON_DATA", str(tmp_path / "data"))
    assert obtain("100").path == tmp_path / "data/mitdb/100"
    assert archive.requests == []
    assert cached() == []


def test_the_newest_version_of_a_database_and_records_in_its_folders_are_fetched(
    archive, write_record
):
    write_record(archive.database("ptbdb", "2.7.1") / "patient001", "s0010_re")
    found = obtain("ptbdb/patient001/s0010_re")
    assert found.path == cache_directory() / "ptbdb/patient001/s0010_re"
    assert found.wearer == "s0010_re"
    assert len(read(found).samples) == 4000
    assert "/files/ptbdb/2.7.1/patient001/s0010_re.dat" in archive.requests


def test_every_signal_file_that_the_header_names_is_fetched(archive, write_record):
    folder, lead = archive.database(), np.arange(4000)[:, None]
    write_record(folder, "200b", counts=-lead, annotate=False)
    header = write_record(folder, "200", counts=lead).path.with_suffix(".hea")
    header.write_text("200 2 360 4000\n200.dat 16\n200b.dat 16\n")
    seen = []
    obtain("200", progress=lambda *step: seen.append(step))
    assert cached() == ["mitdb/200.atr", "mitdb/200.dat", "mitdb/200.hea", "mitdb/200b.dat"]
    assert seen == [("200.hea", 0, 1), ("200.dat", 1, 4), ("200b.dat", 2, 4), ("200.atr", 3, 4)]
    assert read(obtain("200"), lead="lead2").samples[1000] == -1000


def test_a_record_that_has_no_annotations_there_has_none_here(archive, write_record):
    write_record(archive.database(), "100", annotate=False)
    assert read(obtain("100")).annotations is None
    assert "/files/mitdb/1.0.0/100.atr" in archive.requests
    assert cached() == ["mitdb/100.dat", "mitdb/100.hea"]


@pytest.mark.parametrize("second_lead", [False, True])
def test_a_damaged_signal_is_refused_and_leaves_nothing_behind(archive, write_record, second_lead):
    served = write_record(archive.database(), "100")
    dat = served.path.with_suffix(".dat")
    data = bytearray(dat.read_bytes())
    data[1000 + 2 * second_lead] ^= 1
    dat.write_bytes(data)
    with pytest.raises(RecordError, match="checksum"):
        obtain("100")
    assert cached() == []
    data[1000 + 2 * second_lead] ^= 1
    dat.write_bytes(data)
    assert read(obtain("100")).name == "mitdb/100"


def test_a_truncated_signal_is_refused_and_leaves_nothing_behind(archive, write_record):
    dat = write_record(archive.database(), "100").path.with_suffix(".dat")
    dat.write_bytes(dat.read_bytes()[:-1])
    with pytest.raises(RecordError, match="truncated"):
        obtain("100")
    assert cached() == []


@pytest.mark.parametrize(
    "header",
    [
        "",
        "100 0 360 4000\n",
        "not a header at all",
        "100 2 360 4000\n../../../evil.dat 16\n100.dat 16\n",
        "100 2 360 4000\n/etc/passwd 16\n100.dat 16\n",
        "100/2 2 360 4000\n100a 2000\n100b 2000\n",
    ],
)
def test_a_header_that_is_none_or_points_elsewhere_is_refused(archive, write_record, header):
    served = write_record(archive.database(), "100")
    served.path.with_suffix(".hea").write_text(header)
    with pytest.raises(RecordError):
        obtain("100")
    assert cached() == []
    assert not any("evil" in path or "passwd" in path for path in archive.requests)


def missing(name):
    """Fetching fails, and all three ways out are named."""
    with pytest.raises(RecordMissingError) as caught:
        obtain(name)
    for way in ("network", "--data", "$ECGMON_DATA", "--simulate normal", f"mitdb/{name}"):
        assert way in str(caught.value)
    assert "\n" not in str(caught.value)
    assert cached() == []


def test_without_a_server_the_three_ways_out_are_named(archive):
    archive.stop()
    missing("100")


def test_a_record_or_database_that_is_not_there_names_the_three_ways_out(archive, write_record):
    missing("100")
    write_record(archive.database(), "100")
    missing("999")
    assert "/files/mitdb/1.0.0/999.hea" in archive.requests


@pytest.mark.parametrize("suffix", ["hea", "dat", "atr"])
def test_a_server_that_fails_on_the_way_leaves_nothing_behind(archive, write_record, suffix):
    write_record(archive.database(), "100")
    archive.server.broken.add(f"/files/mitdb/1.0.0/100.{suffix}")
    missing("100")
    archive.server.broken.clear()
    obtain("100")


def test_a_signal_that_is_not_there_is_missing_not_left_out(archive, write_record):
    write_record(archive.database(), "100").path.with_suffix(".dat").unlink()
    missing("100")


def test_a_page_without_a_version_is_no_database(archive, write_record):
    write_record(archive.database(), "100")
    (archive.folder / "content" / "mitdb" / "index.html").write_text("<p>Maintenance</p>")
    missing("100")


def test_nothing_is_printed(archive, write_record, capfd):
    write_record(archive.database(), "100")
    obtain("100")
    assert capfd.readouterr() == ("", "")


def test_a_cache_that_cannot_be_written_is_reported(archive, write_record, monkeypatch, tmp_path):
    write_record(archive.database(), "100")
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(RecordError, match="cannot be written"):
        obtain("100")


def test_all_files_of_a_record_of_segments_are_fetched(archive, write_record):
    folder = archive.database("waves", "1.2") / "p10" / "81"
    for name in ("parts/81_1", "81_2"):
        write_record(folder / "parts" if "/" in name else folder, name.rpartition("/")[2])
    (folder / "81_layout.hea").write_text("81_layout 1 360 0\n~ 0 200/mV 16 0 0 0 0 MLII\n")
    segments = "81_layout 0\nparts/81_1 4000\n~ 360\n81_2 4000\n"
    (folder / "81.hea").write_text(f"81/4 1 360 8360\n{segments}")
    found = obtain("waves/p10/81/81")
    assert len(read(found).samples) == 8360
    files = ["81.hea", "81_2.dat", "81_2.hea", "81_layout.hea", "parts/81_1.dat", "parts/81_1.hea"]
    assert cached() == [f"waves/p10/81/{file}" for file in files]
    archive.requests.clear()
    assert obtain("waves/p10/81/81") == found
    assert archive.requests == []


def test_the_annotations_that_are_asked_for_are_fetched_even_later(archive, write_record):
    served = write_record(archive.database(), "100").path
    (served.parent / "100.ecg").write_bytes((served.parent / "100.atr").read_bytes())
    obtain("100", annotator="ecg")
    assert cached() == ["mitdb/100.dat", "mitdb/100.ecg", "mitdb/100.hea"]
    found = obtain("100", annotator="atr")
    assert cached() == ["mitdb/100.atr", "mitdb/100.dat", "mitdb/100.ecg", "mitdb/100.hea"]
    with pytest.raises(RecordError, match=r"no annotations 100\.ari: choose atr, ecg"):
        read(obtain("100", annotator="ari"), annotator="ari")
    archive.stop()
    assert obtain("100", annotator="qrs") == found


@pytest.mark.parametrize(
    "header",
    [
        "100 1 360 4000\n../../100.dat 16 200\n",
        "100 1 360 4000\n/etc/passwd 16 200\n",
        "100/1 1 360 4000\n../../100 4000\n",
    ],
)
def test_nothing_outside_its_database_is_fetched(archive, write_record, header):
    folder = archive.database()
    write_record(folder, "100").path.with_suffix(".hea").write_text(header)
    with pytest.raises(RecordError, match="outside its database"):
        obtain("100")
    assert cached() == []
