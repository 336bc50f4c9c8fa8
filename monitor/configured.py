"""A monitor's settings out of its configuration."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ecgmon.core.errors import UsageError
from ecgmon.core.paths import captured_folder, state_folder
from ecgmon.keys.known import OWN
from ecgmon.models.resolve import (
    atrial_of,
    beats_of,
    resolve,
    rhythms_of,
    shared_beats,
    stamp,
    stored,
)

if TYPE_CHECKING:
    from ecgmon.config import Config
    from monitor.network.rate_limits import RateLimit
    from monitor.settings import MonitorSettings

BURST_S: Final = 10
"""A connection may send as much at once as it may in so many seconds, after a silence."""


def journal_file(config: "Config") -> Path:
    """Return where the journal lies."""
    return state_folder() / config.storage.journal


def keys_folder(config: "Config") -> Path:
    """Return where the keys of those who may connect lie."""
    return state_folder() / config.access.keys


def server_key_file(config: "Config") -> Path:
    """Return where the monitor's secret key lies: where configured, else a credential's place."""
    if config.access.server_key:
        return state_folder() / config.access.server_key
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    credential = Path(credentials) / "server.key" if credentials else None
    return credential if credential and credential.exists() else keys_folder(config) / OWN


def rates(config: "Config") -> "RateLimit":
    """Return how much a connection with a key may send."""
    from monitor.network.rate_limits import RateLimit

    limits = config.limits
    return RateLimit(
        messages=limits.messages_per_s,
        message_burst=BURST_S * limits.messages_per_s,
        samples=limits.samples_per_s,
        sample_burst=BURST_S * limits.samples_per_s,
        streams=limits.streams_per_connection,
    )


def settings(config: "Config") -> "MonitorSettings":
    """Return the settings of a monitor.

    Raises
    ------
    BundleError or StoreError
        If a model that all are to be judged with cannot serve.
    UsageError
        If an endpoint has a scheme that no source or sink is registered for, or the journal's
        folder is missing.
    """
    from ecgmon.keys import KeyStore, PrivateKey
    from ecgmon.models.bundle import Model
    from ecgmon.models.loading import load_beats
    from monitor.network.access import is_local
    from monitor.network.host import by_opener, routed
    from monitor.settings import MonitorSettings
    from monitor.sinks import SINKS
    from monitor.sources import SOURCES
    from monitor.wearers.policy import WearerPolicy

    network, storage, limits = config.network, config.storage, config.limits
    by_opener(SOURCES, network.ingest, "network.ingest")  # raises for what nobody opens
    by_opener(SINKS, network.publish, "network.publish")
    model = config.models.model or None
    Model.load(resolve(model, None))  # a bad model is said now, not when the first device comes
    beats = config.models.beats
    if shared := shared_beats(beats):
        load_beats(shared)
    store, shared_by_all = stored(), [name for name in (model, beats) if name]
    journal = journal_file(config)
    if journal.parent != state_folder() and not journal.parent.is_dir():
        raise UsageError(f"There is no folder {journal.parent} for the journal: make it first.")
    # Made now: for no wearer can the running monitor find limits that are none.
    limits_of = {wearer: own.limits for wearer, own in config.wearers.items()}
    limits_of_others = config.alarms.limits
    remote = not all(map(is_local, routed([*network.ingest, *network.publish])))
    return MonitorSettings(
        journal=journal,
        policy=WearerPolicy(
            resolve=lambda wearer: resolve(model, wearer),
            limits=lambda wearer: limits_of.get(wearer, limits_of_others),
            lead=lambda wearer: config.of(wearer).lead or None,
            resolve_beats=lambda wearer: beats_of(wearer) or shared_beats(beats),
            resolve_rhythms=rhythms_of,
            resolve_atrial=atrial_of,
            stamp=lambda wearer: stamp(store, wearer, *shared_by_all),
            capacity=limits.wearers,
            forget_s=limits.forget_hours * 3600,
        ),
        ingest=network.ingest,
        publish=network.publish,
        keys=KeyStore(keys_folder(config)) if remote else None,
        own=PrivateKey.read(server_key_file(config)) if remote else None,
        rates=rates(config),
        captured=captured_folder() if storage.capture_hours else None,
        capture_hours=storage.capture_hours,
        capture_days=storage.capture_days,
        capture_gb=storage.capture_gb,
        window_days=storage.window_days,
        journal_days=storage.journal_days,
        disk_free_mb=storage.disk_free_mb,
        metrics=network.metrics,
        workers=limits.workers,
    )
