import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ecgmon.core.errors import RecordError
from ecgmon.records.find import cache_directory, find, here, search_path
from ecgmon.records.record import Found


@pytest.fixture
def places(tmp_path, monkeypatch, write_record):
    """The three places a record may be in, each with mitdb/203 of its own."""
    folders = {name: tmp_path / name for name in ("data", "environment", "second")}
    monkeypatch.setenv("ECGMON_DATA", f"{folders['environment']}{os.pathsep}{folders['second']}")
    folders["cache"] = cache_directory()
    for folder in folders.values():
        write_record(folder / "mitdb", "203")
    return folders


def remove(folder, name="203"):
    for path in (folder / "mitdb").glob(f"{name}.*"):
        path.unlink()


def test_data_goes_before_the_environment_which_goes_before_the_cache(places):
    for place in ("data", "environment", "second", "cache"):
        assert find("203", places["data"]) == Found("mitdb/203", "203", places[place] / "mitdb/203")
        remove(places[place])
    assert find("203", places["data"]) == "mitdb/203"


def test_without_data_the_environment_is_first(places):
    assert find("203").path == places["environment"] / "mitdb/203"


def test_empty_parts_of_the_environment_are_no_folders(monkeypatch, tmp_path):
    monkeypatch.setenv("ECGMON_DATA", os.pathsep * 2 + str(tmp_path) + os.pathsep)
    assert search_path(None) == [tmp_path, cache_directory()]
    monkeypatch.setenv("ECGMON_DATA", "")
    assert search_path(None) == [cache_directory()]


def test_the_cache_is_the_users(tmp_path):
    assert cache_directory() == tmp_path / "xdg" / "ecgmon" / "records"


@pytest.mark.parametrize(
    "name", ["203", "mitdb/203", "203.hea", "mitdb/203.hea", "203.dat", "203.atr"]
)
def test_a_bare_name_means_mit_bih_and_the_suffix_does_not_matter(places, name):
    assert find(name) == Found("mitdb/203", "203", places["environment"] / "mitdb/203")


def test_a_record_may_lie_in_folders_of_its_database(tmp_path, write_record):
    write_record(tmp_path / "ptbdb" / "patient001", "s0010_re")
    found = find("ptbdb/patient001/s0010_re", tmp_path)
    assert found.wearer == "s0010_re"
    assert found.path == tmp_path / "ptbdb/patient001/s0010_re"


def test_a_record_that_its_database_lists_is_found_without_its_folder(tmp_path, write_record):
    for folder in ("patient001", "patient002"):
        write_record(tmp_path / "ptbdb" / folder, f"s_{folder}")
        write_record(tmp_path / "ptbdb" / folder, "same")
    lines = [
        "patient001/s_patient001",
        "patient002/s_patient002\r",
        "patient003/gone",
        "../x",
        "p/",
    ]
    lines += ["patient001/same", "patient002/same"]
    (tmp_path / "ptbdb" / "RECORDS").write_text("\n".join(lines))
    found = find("ptbdb/s_patient002", tmp_path)
    assert found == find("ptbdb/patient002/s_patient002", tmp_path)
    assert found.name == "ptbdb/patient002/s_patient002"
    assert find("ptbdb/gone", tmp_path) == "ptbdb/gone"
    with pytest.raises(RecordError, match="name ptbdb/patient001/same or ptbdb/patient002/same"):
        find("ptbdb/same", tmp_path)


@pytest.mark.parametrize(
    "name", ["a.b", "a.dat", "0b61746e-c5f4", "my record", "übung", "r.2.hea.x"]
)
def test_any_name_of_a_file_is_found_by_its_path_or_in_its_database(
    tmp_path, monkeypatch, write_record, name
):
    folder = tmp_path / "own"
    write_record(folder, "100")
    for suffix in (".hea", ".dat"):
        (folder / f"100{suffix}").rename(folder / f"{name}{suffix}")
    for ending in ("", ".hea", ".dat"):
        found = find(f"{folder}/{name}{ending}")
        assert found.path == folder / name
        assert find(f"own/{name}{ending}", tmp_path).path == folder / name
    assert find(str(folder / name), tmp_path).name == f"own/{name}"


def test_a_path_is_found_as_it_is_given(tmp_path, monkeypatch, write_record):
    path = write_record(tmp_path / "my data", "a-b").path
    assert find(str(path)) == find(f"{path}.hea") == Found(str(path), "a-b", path)
    monkeypatch.chdir(tmp_path)
    assert find("./my data/a-b").path == Path("my data/a-b")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find("~/my data/a-b").path == path


def test_a_path_goes_before_the_database_of_the_same_name(
    places, tmp_path, monkeypatch, write_record
):
    monkeypatch.chdir(tmp_path)
    write_record(tmp_path / "mitdb", "203")
    assert find("mitdb/203").path == Path("mitdb/203")


@pytest.mark.parametrize(
    "name", ["203", "nstdb/em", "ptbdb/patient001/s0010_re", "a-b_C/9", "a/b/c/d/e/f/g/h"]
)
def test_what_is_not_here_is_named_by_its_database(name):
    assert find(name) == (name if "/" in name else f"mitdb/{name}")


HOSTILE = [
    *[
        "",
        ".",
        "..",
        "/",
        "//",
        "./",
        "../",
        "../203",
        "mitdb/../203",
        "mitdb/..",
        "mitdb/",
        "/203",
    ],
    *[
        "/etc/passwd",
        "mitdb//203",
        "mitdb/./203",
        "a/b/c/d/e/f/g/h/i",
        "-203",
        "_203",
        "203.x",
        "a.b/c",
    ],
    *["203\0", "a/\0b", "203\n", "203 ", "é", "203;ls", "$(ls)", "a\\b", "~", "~/203", "~nobody/x"],
    *["https://physionet.org/203", "mitdb/203?x", "mitdb/203#x", "%2e%2e/203", "/" + "x" * 5000],
    *["x/" * 3000 + "x", "../" * 500 + "etc/passwd", ".hea", "/.hea"],
]


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: repr(name[:30]))
def test_an_impossible_record_name_is_refused_with_advice(name):
    with pytest.raises(RecordError, match=r"database/name"):
        find(name)


def test_a_name_too_long_for_a_file_is_not_here():
    assert find("x" * 5000) == "mitdb/" + "x" * 5000


@given(
    st.text(max_size=40)
    | st.text(st.sampled_from("./~\\\0\n-_a0é"), max_size=12)
    | st.lists(st.sampled_from(["..", ".", "", "mitdb", "203", "~root"]), max_size=6).map("/".join)
)
@example("~root")
@example("mitdb/203")
def test_any_name_is_a_database_and_a_record_or_refused(name):
    try:
        found = find(name)
    except RecordError:
        return
    # What would be fetched can only lead to a file below the cache.
    assert isinstance(found, str)
    parts = found.split("/")
    assert 2 <= len(parts) <= 8
    for part in parts:
        assert part.replace("-", "").replace("_", "").isalnum()
        assert part.isascii()
        assert part[0] not in "-_"
    assert (cache_directory() / found).resolve().is_relative_to(cache_directory().resolve())


@pytest.mark.parametrize(
    ("name", "wearer"), [("a b", "a_b"), ("_x", "w_x"), ("x" * 80, "x" * 64), ("203", "203")]
)
def test_a_wearers_id_is_one_the_monitor_takes(tmp_path, write_record, name, wearer):
    (tmp_path / f"{name}.hea").write_text("")
    found = find(str(tmp_path / name))
    assert isinstance(found, Found)
    assert found.wearer == wearer


@pytest.mark.parametrize("name", ["rec1", "203", "rec-1", "rec1.hea"])
def test_a_record_of_the_current_folder_has_its_bare_name(
    places, tmp_path, write_record, monkeypatch, name
):
    bare = name.removesuffix(".hea")
    write_record(tmp_path / "here", bare)
    monkeypatch.chdir(tmp_path / "here")
    found = find(here(name), places["data"])
    assert found.path.resolve() == tmp_path / "here" / bare
    assert found.name == bare


def test_the_current_folder_replaces_no_record_that_the_program_names(
    places, tmp_path, write_record, monkeypatch
):
    write_record(tmp_path / "here", "203")
    monkeypatch.chdir(tmp_path / "here")
    assert find("203").path == places["environment"] / "mitdb/203"
    assert [here(name) for name in ("100", "mitdb/203", "./203")] == ["100", "mitdb/203", "./203"]


def test_a_record_of_a_known_folder_is_called_as_always(places, monkeypatch):
    monkeypatch.chdir(places["environment"] / "mitdb")
    assert find(here("203")).name == "mitdb/203"
