"""The schema of the configuration: each key with its type, bounds, default and description.

The commented file (`ecgmon.config.show`) and the sentences that refuse a value
(`ecgmon.config.reading`) are made from it.
"""

import re
from typing import Annotated, Final

import msgspec

from ecgmon.config.alarms import AlarmsSection
from ecgmon.config.entry import Section, documented
from ecgmon.config.fleet import FleetSection
from ecgmon.config.values import ENDPOINTS, Endpoints, path
from ecgmon.wire.fields import WEARER

ID: Final = re.compile(WEARER)


class NetworkSection(Section, frozen=True):
    """Where devices, viewers and Prometheus connect."""

    ingest: Annotated[
        Endpoints,
        documented("Accept devices on these endpoints: one, or a list.", ENDPOINTS, min_length=1),
    ] = ("tcp://127.0.0.1:5555",)
    publish: Annotated[
        Endpoints,
        documented("Accept viewers on these endpoints: one, or a list.", ENDPOINTS, min_length=1),
    ] = ("tcp://127.0.0.1:5556",)
    metrics: Annotated[
        str,
        documented(
            'Serve metrics to Prometheus over HTTP at this address and port; "" for no metrics.',
            'ADDRESS:PORT such as 127.0.0.1:9555, or "" for none',
            pattern=r"^(|[A-Za-z0-9.-]{1,253}:\d{1,5}|\[[0-9A-Fa-f:.]{2,45}\]:\d{1,5})\Z",
        ),
    ] = "127.0.0.1:9555"

    key: Annotated[
        str,
        path(
            "Connect with this key file in this user's own commands, such as view and status; "
            '"" for none.',
        ),
    ] = ""

    def __post_init__(self) -> None:
        """Refuse ports above 65535; raises `ValueError`."""
        for endpoint in (*self.ingest, *self.publish, self.metrics):
            port = re.search(r":(\d+)\Z", endpoint)
            if port and not endpoint.startswith("ipc://") and int(port[1]) > 65535:
                raise ValueError(f"{endpoint} has a port above 65535")


class AccessSection(Section, frozen=True):
    """Keys for connections from other machines."""

    keys: Annotated[
        str,
        path(
            "Folder of the keys that may connect; a relative path starts in the state folder.",
            "the path of a folder",
        ),
    ] = "keys"
    server_key: Annotated[
        str,
        path(
            'File of the monitor\'s secret key; "" for $CREDENTIALS_DIRECTORY/server.key if that '
            "exists, else monitor.key in the folder of keys.",
        ),
    ] = ""


class LimitsSection(Section, frozen=True):
    """How much the monitor accepts. It refuses what goes beyond."""

    wearers: Annotated[
        int, documented("Watch at most this many wearers at once.", ge=1, le=5000)
    ] = 64
    workers: Annotated[
        int,
        documented(
            "Share the wearers among this many worker processes; 0 for one process without any.",
            ge=0,
            le=64,
        ),
    ] = 0
    streams_per_connection: Annotated[
        int, documented("Open at most this many streams for one key.", ge=1, le=5000)
    ] = 8
    messages_per_s: Annotated[
        int,
        documented(
            "Accept at most this many messages per second with one key.", ge=1, le=1_000_000
        ),
    ] = 200
    samples_per_s: Annotated[
        int,
        documented(
            "Accept at most this many samples per second with one key.", ge=360, le=1_000_000_000
        ),
    ] = 50_000
    forget_hours: Annotated[
        float,
        documented(
            "Stop watching a wearer whose device has been silent for this many hours.",
            ge=0.01,
            le=8760,
        ),
    ] = 24.0


class StorageSection(Section, frozen=True):
    """What the monitor keeps on disk, and for how long."""

    journal: Annotated[
        str,
        path(
            "SQLite file of the journal; a relative path starts in the state folder.",
            "the path of a file",
        ),
    ] = "journal.db"
    journal_days: Annotated[
        int,
        documented(
            "Delete journal entries other than windows, such as alarms, after this many days.",
            ge=1,
            le=36_500,
        ),
    ] = 30
    window_days: Annotated[
        int, documented("Delete the journal's windows after this many days.", ge=1, le=36_500)
    ] = 7
    capture_hours: Annotated[
        int,
        documented(
            "Keep this many hours of samples of each wearer; 0 keeps none.", ge=0, le=10_000
        ),
    ] = 24
    capture_days: Annotated[
        int, documented("Delete samples after this many days.", ge=1, le=36_500)
    ] = 7
    capture_gb: Annotated[
        float,
        documented(
            "Keep at most this many gigabytes of samples of all wearers together.",
            ge=0.01,
            le=1_000_000,
        ),
    ] = 10.0
    disk_free_mb: Annotated[
        int,
        documented(
            "Raise *disk-low* when less than this many megabytes of the disk are free.",
            ge=0,
            le=1_000_000_000,
        ),
    ] = 500


class ModelsSection(Section, frozen=True):
    """The models that judge the signal."""

    model: Annotated[
        str,
        path(
            "Judge all wearers by this model: a bundle's path, a wearer's id, or generic; "
            '"" for each wearer\'s own model, else generic.',
            'the path of a bundle, a wearer\'s id, generic, or ""',
        ),
    ] = ""
    beats: Annotated[
        str,
        path(
            "Judge the beats of wearers without a beat model of their own by this one: a bundle's "
            'path, a wearer\'s id, or generic; "" for none.',
            'the path of a bundle, a wearer\'s id, generic, or ""',
        ),
    ] = ""


class Wearer(AlarmsSection, frozen=True):
    """Settings of one wearer: the lead, and any key of [alarms]."""

    lead: Annotated[
        str,
        documented(
            'Judge the lead of this name and no other; "" for lead II, else the first lead, and a '
            "second one while that is worse.",
            'up to 8 printable characters without spaces, such as II, or ""',
            pattern=r"^[!-~]{0,8}\Z",
        ),
    ] = ""


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole configuration; ``wearers`` holds the settings of single wearers by their ids."""

    network: NetworkSection = NetworkSection()
    access: AccessSection = AccessSection()
    limits: LimitsSection = LimitsSection()
    storage: StorageSection = StorageSection()
    alarms: AlarmsSection = AlarmsSection()
    models: ModelsSection = ModelsSection()
    fleet: FleetSection = FleetSection()
    wearers: dict[str, Wearer] = {}

    def of(self, wearer: str) -> Wearer:
        """Return the settings in force for a wearer."""
        return self.wearers.get(wearer) or Wearer(**msgspec.structs.asdict(self.alarms))


SECTIONS: Final[dict[str, type[Section]]] = {
    "network": NetworkSection,
    "access": AccessSection,
    "limits": LimitsSection,
    "storage": StorageSection,
    "alarms": AlarmsSection,
    "models": ModelsSection,
    "fleet": FleetSection,
}
