"""The configuration: what counts, what is refused and how, and that what is shown is the same."""

import errno
import os
import tomllib
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.config import Config, Given, Wearer, load, toml
from ecgmon.config.entry import entries
from ecgmon.config.schema import SECTIONS
from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.errors import ConfigError, UsageError
from ecgmon.core.paths import state_folder
from ecgmon.core.rate_profiles import PROFILES, Profile
from ecgmon.core.rhythm_limits import Level

DOCS = Path(__file__).parents[3] / "docs" / "configuration.md"
EVERYWHERE = {
    (section, name): entry
    for section, kind in SECTIONS.items()
    for name, entry in entries(kind).items()
}


def read(tmp_path, text, options=(), **environ):
    file = tmp_path / "ecgmon.toml"
    file.write_text(text)
    return load(file, options, environ)


def refused(tmp_path, text, options=(), **environ):
    with pytest.raises(ConfigError) as error:
        read(tmp_path, text, options, **environ)
    sentence = str(error.value)
    assert sentence.endswith((".", "?"))
    assert sentence.isprintable()
    return sentence.replace(f"{tmp_path}/", "")


def test_a_later_source_counts_more_key_by_key(tmp_path):
    text = "[limits]\nwearers = 3\nmessages_per_s = 5\nforget_hours = 1\n"
    options = [Given(("limits", "messages_per_s"), 7, "--messages")]
    loaded = read(
        tmp_path, text, options, ECGMON_LIMITS_WEARERS="4", ECGMON_LIMITS_MESSAGES_PER_S="6"
    )
    limits = loaded.config.limits
    assert (limits.forget_hours, limits.wearers, limits.messages_per_s) == (1, 4, 7)
    assert limits.samples_per_s == Config().limits.samples_per_s
    assert loaded.origins == {
        ("limits", "wearers"): "$ECGMON_LIMITS_WEARERS",
        ("limits", "messages_per_s"): "--messages",
        ("limits", "forget_hours"): f"{tmp_path}/ecgmon.toml, line 4",
    }


def test_a_wearer_s_own_values_count_over_those_of_all(tmp_path):
    text = '[alarms]\nlow_rate = 45\n[wearers."ann.b"]\nhigh_rate = 140\nlead = "V5"\n'
    config = read(tmp_path, text).config
    ann, bob = config.of("ann.b"), config.of("bob")
    assert (ann.lead, ann.low_rate, ann.high_rate) == ("V5", 45, 140)
    assert (bob.lead, bob.low_rate, bob.high_rate) == ("", 45, 120)
    assert config.wearers == {"ann.b": ann}


def test_a_profile_sets_the_limits_of_the_heart_rate_that_are_not_named(tmp_path):
    file = tmp_path / "ecgmon.toml"
    file.write_text(
        "[alarms]\nhigh_rate = 130\nextreme_low_rate = 0\n"
        '[wearers.baby]\nprofile = "neonate"\nhigh_rate = 130\nextreme_high_rate = 0\n'
        "[wearers.ann]\nlag_s = 7\n"
    )
    config = load(file, environ={}).config
    assert (config.of("bob").limits.high_rate, config.of("bob").limits.low_rate) == (130, 50)
    assert config.of("ann").limits.high_rate == 130
    baby = config.of("baby").limits
    assert (baby.extreme_low_rate, baby.low_rate) == (80, 100)
    assert (baby.high_rate, baby.extreme_high_rate) == (130, None)
    shown = tmp_path / "shown.toml"
    shown.write_text(toml(config))
    assert load(shown, environ={}).config == config


def test_the_limits_of_an_adult_are_the_defaults_and_each_profile_can_be_used():
    assert AlarmLimits(**PROFILES["adult"]) == AlarmLimits() == Config().alarms.limits
    assert set(PROFILES) == set(get_args(Profile))
    for limits in PROFILES.values():
        assert limits.keys() == PROFILES["adult"].keys()
        AlarmLimits(**limits)


def test_one_endpoint_may_be_a_string_and_several_come_with_commas_from_a_variable(tmp_path):
    text = '[network]\ningest = "tcp://127.0.0.1:1"\n'
    config = read(tmp_path, text, ECGMON_NETWORK_PUBLISH="tcp://[::1]:2, ipc:///run/x").config
    assert config.network.ingest == ("tcp://127.0.0.1:1",)
    assert config.network.publish == ("tcp://[::1]:2", "ipc:///run/x")


def test_the_file_is_the_one_named_else_the_variable_s_else_the_user_s(tmp_path, monkeypatch):
    monkeypatch.setattr("ecgmon.config.reading.SYSTEM", tmp_path / "none")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    files = {}
    for wearers, name in enumerate(("own", "variable", "named"), 1):
        files[name] = tmp_path / name
        files[name].write_text(f"[limits]\nwearers = {wearers}\n")
    environ = {"ECGMON_CONFIG": str(files["variable"])}
    assert load(None, (), {}).file is None
    home = tmp_path / "ecgmon"
    home.mkdir()
    files["own"].rename(home / "ecgmon.toml")
    assert load(None, (), {}).config.limits.wearers == 1
    assert load(None, (), environ).config.limits.wearers == 2
    assert load(files["named"], (), environ).config.limits.wearers == 3
    system = tmp_path / "system"
    system.write_text("[limits]\nwearers = 4\n")
    monkeypatch.setattr("ecgmon.config.reading.SYSTEM", system)
    assert load(None, (), {}).config.limits.wearers == 4


def test_a_user_without_a_home_has_no_file_and_is_asked_for_a_state_folder(tmp_path, monkeypatch):
    def unknown(_):
        raise KeyError  # as for a service's dynamic user

    for variable in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "ECGMON_STATE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("pwd.getpwuid", unknown)
    monkeypatch.setattr("ecgmon.config.reading.SYSTEM", tmp_path / "none")
    assert load(None, (), {}).file is None
    with pytest.raises(UsageError, match="This user has no home: name the folder"):
        state_folder()


REFUSED = {
    "[limits]\nwearer = 3": "ecgmon.toml, line 2: there is no limits.wearer; did you mean "
    "limits.wearers?",
    "[limitz]\nwearers = 3": "ecgmon.toml, line 1: there is no [limitz]; did you mean limits?",
    "[limits]\n\nxyz = 3": "ecgmon.toml, line 3: there is no limits.xyz; known are wearers, "
    "workers, streams_per_connection, messages_per_s, samples_per_s, forget_hours.",
    "limits = 3": "ecgmon.toml, line 1: limits is a section: write [limits] in its own line.",
    "[limits]\nwearers = 0": "ecgmon.toml, line 2: limits.wearers cannot be 0: give a whole number "
    "from 1 to 5,000.",
    "[limits]\nwearers = 1.5": "limits.wearers cannot be 1.5: give a whole number",
    "[limits]\nwearers = true": "limits.wearers cannot be true: give a whole number",
    "[limits]\nwearers = '3'": 'limits.wearers cannot be "3": give a whole number',
    "[limits]\nforget_hours = nan": "limits.forget_hours cannot be NaN: give a number from 0.01",
    "[limits]\nforget_hours = inf": "limits.forget_hours cannot be Infinity: give a number",
    "[alarms]\nlow_rate = false": "alarms.low_rate cannot be false: give a number of beats per "
    "minute from 15 to 300, or 0 for no such alarm.",
    "[alarms]\nlow_rate = 130": "ecgmon.toml, line 2: in [alarms] high_rate must be more than "
    "136/min, as low_rate is 130/min.",
    "[alarms]\nlow_rate = 118\n\nhigh_rate = 120": "ecgmon.toml, line 2 and ecgmon.toml, "
    "line 4: in [alarms] high_rate must be more than 124/min, as low_rate is 118/min.",
    "[alarms]\nclear_after = 5\nextreme_low_rate = 5": "ecgmon.toml, line 3: in [alarms] "
    "extreme_low_rate cannot be 5/min: choose 15 to 300/min, or 0 for no such alarm.",
    "[alarms]\nabnormal = '5/3'": "abnormal 5/3 is no K/N with K from 1 to N and N up to 300",
    "[alarms]\nabnormal = 3": "alarms.abnormal cannot be 3: give K/N with",
    "[network]\ningest = []": "network.ingest cannot be []: give endpoints such as",
    "[network]\ningest = ['nonsense']": 'network.ingest cannot be ["nonsense"]: give endpoints',
    "[network]\ningest = 'tcp://*:70000'": "tcp://*:70000 has a port above 65535.",
    "[network]\nmetrics = 9555": "network.metrics cannot be 9555: give ADDRESS:PORT",
    "[wearers.'../x']\nlead = ''": 'line 1: "../x" cannot be a wearer\'s id: take up to 64',
    "[wearers]\nann = 3": "ecgmon.toml, line 2: ann is no table: write [wearers.ann].",
    "[wearers.a.b]\nlead = ''": 'an id with dots needs quotes: write [wearers."a.b"].',
    "[wearers.ann]\nleads = 'II'": "line 2: there is no wearers.ann.leads; did you mean "
    "wearers.ann.lead?",
    "[wearers.ann]\nhigh_rate = 40": "in [wearers.ann] high_rate must be more than 56/min, as",
    "[wearers.ann]\nlead = '\\u001b[2J'": "wearers.ann.lead cannot be",
    '[storage]\njournal = "a\\u001bb"': 'storage.journal cannot be "a\\u001bb": give the path',
    "[limits": "ecgmon.toml is not TOML: ",
    "x = " + "[" * 5000: "ecgmon.toml is not TOML: ",
    "x = 1" + "0" * 5000: "ecgmon.toml is not TOML: ",
    "#" * 1_000_001: "ecgmon.toml is longer than 1,000,000 bytes",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:40])
def test_what_is_wrong_is_one_sentence_with_its_place(tmp_path, text):
    assert REFUSED[text] in refused(tmp_path, text)


def test_wrong_environment_variables_are_reported_too(tmp_path):
    cases = {
        "ECGMON_LIMITS_WEARERS": "$ECGMON_LIMITS_WEARERS: limits.wearers cannot be",
        "ECGMON_LIMITS_WEARER": "there is no ECGMON_LIMITS_WEARER; did you mean "
        "ECGMON_LIMITS_WEARERS?",
        "ECGMON_NETWROK_INGEST": "did you mean ECGMON_NETWORK_INGEST?",
    }
    for name, text in cases.items():
        assert text in refused(tmp_path, "", **{name: "\x1b[2J"})


def test_other_variables_are_nobody_s_business(tmp_path):
    others = ("ECGMON_DATA", "ECGMON_STATE", "ECGMON_CONFIG", "ECGMON_PORT", "ECGMON_SERVICE_HOST")
    assert read(tmp_path, "", **dict.fromkeys(others, "x")).origins == {}


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(ConfigError, match="cannot be read"):
            load(path, (), {})
    (tmp_path / "latin").write_bytes(b"# \xe9")
    with pytest.raises(ConfigError, match="is not TOML"):
        load(tmp_path / "latin", (), {})


def test_the_defaults_shown_are_the_defaults_and_documented(tmp_path):
    shown = toml(Config())
    assert read(tmp_path, shown).config == Config()
    assert set(tomllib.loads(shown)) == set(SECTIONS)
    for entry in EVERYWHERE.values():
        assert f"# {entry.description}\n" in shown
        assert entry.description.endswith(".")
        assert entry.allowed


def test_the_page_of_the_documentation_shows_the_same():
    assert f"```toml\n{toml(Config())}```\n" in DOCS.read_text()


TEXTS = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=30)
TEXT_KEYS = "keys", "key", "server_key", "journal", "model", "credentials", "certificates"
VALUES = {
    "ingest": st.lists(st.sampled_from(["tcp://*:1", "ipc://a\"b\\'c", "tcp://é:2"]), min_size=1),
    "publish": st.sampled_from(["tcp://[::1]:65535", "ipc://#"]),
    "metrics": st.sampled_from(["", "[::1]:1", "host:0"]),
    "servers": st.lists(st.sampled_from(["nats://[::1]:4222", "tls://é:1"])),
    "name": st.sampled_from(["", "a-B_9"]),
    "abnormal": st.sampled_from(["1/1", "300/300"]),
    "beats": st.sampled_from(["", "generic"]),
    "lead": st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=8),
    **dict.fromkeys(TEXT_KEYS, TEXTS),
    **dict.fromkeys(PROFILES["adult"], st.just(0)),
}


def value_of(name, entry):
    if name in VALUES:
        return VALUES[name]
    if entry.base in (Level, Profile):
        return st.sampled_from(get_args(entry.base))
    if entry.base is bool:
        return st.booleans()
    number = st.integers if entry.base is int else st.floats
    return number(entry.about.ge, entry.about.le)


def table(kind):
    return st.fixed_dictionaries(
        {}, optional={name: value_of(name, entry) for name, entry in entries(kind).items()}
    )


@pytest.mark.thorough
@given(
    sections=st.fixed_dictionaries({}, optional={n: table(kind) for n, kind in SECTIONS.items()}),
    wearers=st.dictionaries(
        st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,9}", fullmatch=True), table(Wearer), max_size=3
    ),
    with_origins=st.booleans(),
)
def test_whatever_is_configured_is_the_same_when_what_is_shown_is_read(
    tmp_path_factory, sections, wearers, with_origins
):
    options = [
        Given((name, key), value, "an\noption")
        for name, values in sections.items()
        for key, value in values.items()
    ] + [
        Given(("wearers", wearer, key), value, "an option")
        for wearer, values in wearers.items()
        for key, value in values.items()
    ]
    folder = tmp_path_factory.getbasetemp()
    loaded = read(folder, "", options)
    shown = toml(loaded.config, loaded.origins if with_origins else None)
    again = read(folder, shown)
    assert again.config == loaded.config
    assert msgspec.to_builtins(again.config) == msgspec.to_builtins(loaded.config)


def test_a_folder_without_permission_is_reported_in_one_sentence(tmp_path, monkeypatch):
    def denied(path, *_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr("ecgmon.config.reading.SYSTEM", tmp_path / "ecgmon.toml")
    for name in ("exists", "open"):
        monkeypatch.setattr(Path, name, denied)
    with pytest.raises(ConfigError, match=r"ecgmon\.toml cannot be read: Permission denied"):
        load(None, (), {})
