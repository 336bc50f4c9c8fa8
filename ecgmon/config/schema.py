"""The schema of the configuration: each key with its type, bounds, default and one line of text.

`ecgmon.config.show` and the sentences of `ecgmon.config.sources` are made from what stands here.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final, get_args

import msgspec

from ecgmon.core.alarm_limits import (
    HIGHEST_RATE,
    LONGEST,
    LOWEST_RATE,
    MOST_ABNORMAL,
    AlarmLimits,
    k_of_n,
)
from ecgmon.wire.fields import WEARER

ID: Final = re.compile(WEARER)
_TEXT: Final = r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]"
"""A character that neither steers a terminal nor is outside of UTF-8."""
_WORD: Final = r"[^\s,\x00-\x1f\x7f-\x9f\ud800-\udfff]+"
_ENDPOINT: Final = rf"^(tcp://{_WORD}:(\*|\d{{1,5}})|(?!tcp:)[a-z][a-z0-9+-]{{0,15}}://{_WORD})\Z"
"""Which schemes there are besides tcp and ipc, `monitor.sources` and `monitor.sinks` know."""


def _key(description: str, allowed: str | None = None, **bounds: Any) -> msgspec.Meta:  # noqa: ANN401 - Meta's
    """Document a key; ``allowed`` says what a value must be where its bounds do not."""
    return msgspec.Meta(description=description, extra={"allowed": allowed}, **bounds)


Endpoints = tuple[Annotated[str, msgspec.Meta(pattern=_ENDPOINT, max_length=200)], ...]
_ENDPOINTS: Final = "endpoints such as tcp://127.0.0.1:5555 or ipc:///run/ecgmon/ingest"
_RATE: Final = (
    f"a number of beats per minute from {LOWEST_RATE:g} to {HIGHEST_RATE:g}, or 0 for no such alarm"
)


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the configuration."""


class NetworkSection(Section, frozen=True):
    """Where devices, viewers and scrapers of metrics connect."""

    ingest: Annotated[
        Endpoints,
        _key("Where devices connect: one endpoint or several.", _ENDPOINTS, min_length=1),
    ] = ("tcp://127.0.0.1:5555",)
    publish: Annotated[
        Endpoints,
        _key("Where viewers connect: one endpoint or several.", _ENDPOINTS, min_length=1),
    ] = ("tcp://127.0.0.1:5556",)
    metrics: Annotated[
        str,
        _key(
            'Where Prometheus scrapes metrics over HTTP; "" for nowhere.',
            'ADDRESS:PORT such as 127.0.0.1:9555, or "" for none',
            pattern=r"^(|[A-Za-z0-9.-]{1,253}:\d{1,5}|\[[0-9A-Fa-f:.]{2,45}\]:\d{1,5})\Z",
        ),
    ] = "127.0.0.1:9555"

    key: Annotated[
        str,
        _key(
            "Key file of this user's own commands, such as view and status, where they need one; "
            '"" for none.',
            'the path of a file, or ""',
            pattern=rf"^{_TEXT}{{0,1000}}\Z",
        ),
    ] = ""

    def __post_init__(self) -> None:
        """Refuse ports there cannot be; raises `ValueError`."""
        for endpoint in (*self.ingest, *self.publish, self.metrics):
            port = re.search(r":(\d+)\Z", endpoint)
            if port and not endpoint.startswith("ipc://") and int(port[1]) > 65535:
                raise ValueError(f"{endpoint} has a port above 65535")


class AccessSection(Section, frozen=True):
    """Who may connect from other machines."""

    keys: Annotated[
        str,
        _key(
            "Folder of the keys of those who may; a relative path begins in the state folder.",
            "the path of a folder",
            pattern=rf"^{_TEXT}{{1,1000}}\Z",
        ),
    ] = "keys"
    server_key: Annotated[
        str,
        _key(
            'The monitor\'s own secret key; "" for $CREDENTIALS_DIRECTORY/server.key where that '
            "exists, else monitor.key in the folder of keys.",
            'the path of a file, or ""',
            pattern=rf"^{_TEXT}{{0,1000}}\Z",
        ),
    ] = ""


class LimitsSection(Section, frozen=True):
    """What one may ask of the monitor at most; more is refused."""

    wearers: Annotated[int, _key("Wearers watched at once.", ge=1, le=1024)] = 64
    streams_per_connection: Annotated[
        int, _key("Streams that one device may have open.", ge=1, le=1024)
    ] = 8
    messages_per_s: Annotated[
        int, _key("Messages a second from one connection.", ge=1, le=1_000_000)
    ] = 200
    samples_per_s: Annotated[
        int, _key("Samples a second from one connection.", ge=360, le=1_000_000_000)
    ] = 50_000
    forget_hours: Annotated[
        float,
        _key("A wearer whose device is silent for so long is let go.", ge=0.01, le=8760),
    ] = 24.0


class StorageSection(Section, frozen=True):
    """What is kept on disk, and how much of it."""

    journal: Annotated[
        str,
        _key(
            "SQLite file of what the monitor said; a relative path begins in the state folder.",
            "the path of a file",
            pattern=rf"^{_TEXT}{{1,1000}}\Z",
        ),
    ] = "journal.db"
    journal_days: Annotated[
        int, _key("Days after which what was said of alarms is removed.", ge=1, le=36_500)
    ] = 30
    window_days: Annotated[
        int, _key("Days after which what was said of each second is removed.", ge=1, le=36_500)
    ] = 7
    capture_hours: Annotated[
        int, _key("Hours of samples kept of each wearer; 0 stores none.", ge=0, le=10_000)
    ] = 24
    capture_days: Annotated[
        int, _key("Days after which samples are removed, however few.", ge=1, le=36_500)
    ] = 7
    capture_gb: Annotated[
        float, _key("Gigabytes of samples kept of all wearers together.", ge=0.01, le=1_000_000)
    ] = 10.0
    disk_free_mb: Annotated[
        int, _key("Megabytes; less free disk than that raises an alarm.", ge=0, le=1_000_000_000)
    ] = 500


class AlarmsSection(Section, frozen=True):
    """What raises and clears alarms, of every wearer whose own table says nothing else."""

    abnormal: Annotated[
        str,
        _key(
            "K/N: abnormal beats in K of the last N seconds raise an alarm.",
            f"K/N with K from 1 to N and N up to {MOST_ABNORMAL}, such as 3/10",
            pattern=r"^\d{1,3}/\d{1,3}\Z",
        ),
    ] = "3/10"
    clear_after: Annotated[
        int, _key("Seconds in a row without, after which it is cleared.", ge=1, le=LONGEST)
    ] = 30
    low_rate: Annotated[
        float,
        _key(
            "Beats per minute, below which is an alarm; 0 for none.", _RATE, ge=0, le=HIGHEST_RATE
        ),
    ] = 50.0
    high_rate: Annotated[
        float,
        _key(
            "Beats per minute, above which is an alarm; 0 for none.", _RATE, ge=0, le=HIGHEST_RATE
        ),
    ] = 120.0
    extreme_low_rate: Annotated[
        float,
        _key(
            "Beats per minute, below which is one of high priority.", _RATE, ge=0, le=HIGHEST_RATE
        ),
    ] = 35.0
    extreme_high_rate: Annotated[
        float,
        _key(
            "Beats per minute, above which is one of high priority.", _RATE, ge=0, le=HIGHEST_RATE
        ),
    ] = 150.0
    silent_s: Annotated[
        float, _key("Seconds without samples from an open stream that are one.", ge=1, le=LONGEST)
    ] = 10.0
    lag_s: Annotated[
        float, _key("Seconds that samples may lag behind before it is one.", ge=1, le=LONGEST)
    ] = 5.0

    @property
    def limits(self) -> AlarmLimits:
        """The limits that these keys set."""
        return AlarmLimits(
            abnormal=k_of_n(self.abnormal, self.clear_after),
            low_rate=self.low_rate or None,
            high_rate=self.high_rate or None,
            extreme_low_rate=self.extreme_low_rate or None,
            extreme_high_rate=self.extreme_high_rate or None,
            silent_s=self.silent_s,
            lag_s=self.lag_s,
        )

    def __post_init__(self) -> None:
        """Refuse what makes no limits; raises `LimitsError`."""
        _ = self.limits


class ModelsSection(Section, frozen=True):
    """What judges the signal."""

    model: Annotated[
        str,
        _key(
            "A bundle's path, a wearer's id, or generic; \"\" for each wearer's own, else generic.",
            'the path of a bundle, a wearer\'s id, generic, or ""',
            pattern=rf"^{_TEXT}{{0,1000}}\Z",
        ),
    ] = ""


class Wearer(AlarmsSection, frozen=True):
    """What is different for one wearer: the lead, and any key of [alarms]."""

    lead: Annotated[
        str,
        _key(
            'Name of the lead that is judged where a device sends several; "" for lead II or the '
            "first.",
            'up to 8 printable characters without spaces, such as II, or ""',
            pattern=r"^[!-~]{0,8}\Z",
        ),
    ] = ""


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of it; ``wearers`` holds what is different for some, by their ids."""

    network: NetworkSection = NetworkSection()
    access: AccessSection = AccessSection()
    limits: LimitsSection = LimitsSection()
    storage: StorageSection = StorageSection()
    alarms: AlarmsSection = AlarmsSection()
    models: ModelsSection = ModelsSection()
    wearers: dict[str, Wearer] = {}

    def of(self, wearer: str) -> Wearer:
        """Return what counts for a wearer."""
        return self.wearers.get(wearer) or Wearer(**msgspec.structs.asdict(self.alarms))


SECTIONS: Final[dict[str, type[Section]]] = {
    "network": NetworkSection,
    "access": AccessSection,
    "limits": LimitsSection,
    "storage": StorageSection,
    "alarms": AlarmsSection,
    "models": ModelsSection,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A key: ``kind`` to check values by, ``base`` (its Python type) and what is said of it."""

    kind: Any
    base: Any
    about: msgspec.Meta

    @property
    def description(self) -> str:
        """What the key is, in one line, with the bounds of a number."""
        return f"{self.about.description}" + ("" if self._stated else f" From {self._bounds}.")

    @property
    def allowed(self) -> str:
        """What a value must be."""
        what = "a whole number" if self.base is int else "a number"
        return self._stated or f"{what} from {self._bounds}"

    @property
    def _stated(self) -> str | None:
        stated: str | None = (self.about.extra or {})["allowed"]
        return stated

    @property
    def _bounds(self) -> str:
        return f"{self.about.ge:,} to {self.about.le:,}"


def entries(section: type[Section]) -> dict[str, Entry]:
    """Return the keys of a section."""
    return {
        field.name: Entry(field.type, *get_args(field.type))
        for field in msgspec.structs.fields(section)
    }
