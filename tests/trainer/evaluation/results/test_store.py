"""The store of results: valid with its own digest, unreadable is not there."""

import json

import pytest

from trainer.evaluation.results.store import ResultStore, StoredResult


def test_a_result_is_valid_with_the_digest_that_it_was_stored_with(tmp_path):
    store = ResultStore(tmp_path / "made")
    stored = StoredResult({"figure": [1, 2.5]}, "abc", 7, 30)
    store.put("name/of", stored)
    assert store.get("name/of") == stored == store.valid("name/of", "abc")
    assert store.valid("name/of", "abd") is None
    assert store.get("other") is None
    assert json.loads((tmp_path / "made/name/of.json").read_text())["digest"] == "abc"


def test_a_result_of_earlier_code_is_there_and_never_valid(tmp_path):
    text = '{"seed": 1, "code": "6c2da6245ed2", "data": "x", "processor_s": 426, "result": [1]}'
    (tmp_path / "old.json").write_text(text)
    store = ResultStore(tmp_path)
    assert store.get("old") == StoredResult([1], "", 1, 426)
    assert store.valid("old", "6c2da6245ed2") is None


@pytest.mark.parametrize("text", ["", "[]", "{}", "\xff", '{"result": 1, "seed": "one"}'])
def test_what_cannot_be_read_is_not_there(tmp_path, text):
    (tmp_path / "a.json").write_text(text, "latin-1")
    assert ResultStore(tmp_path).get("a") is None
