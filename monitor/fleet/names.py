"""What is called how in JetStream: subjects, streams and keys (docs/fleet.md).

The server divides wearers into partitions: a gateway publishes to `incoming` and the stream stores
it under `samples`. The number of partitions is part of the stream, and never changes.
"""

import re
from typing import Final

SAMPLES: Final = "ecgmon-samples"
"""Stream of what devices send."""
RESULTS: Final = "ecgmon-results"
"""Stream of what monitors say."""
STATES: Final = "ecgmon-states"
"""Bucket of the states of wearers, and of how far they go."""
COMMANDS: Final = "ecgmon-commands"
"""Stream of what viewers ask of those who own partitions."""
OUTCOMES: Final = "command.outcome"
"""Subject of what has become of commands; nothing of it is kept."""
INCOMING: Final = "ecg.in"
_PARTITIONED: Final = re.compile(r"\{\{partition\((\d+),1\)\}\}")
_PLAIN_DOT: Final = "="
"""Stands for a dot: an id of a wearer may have dots, a part of a subject may not."""


def token(wearer: str) -> str:
    """Return a wearer's id as a part of a subject."""
    return wearer.replace(".", _PLAIN_DOT)


def wearer_of(token: str) -> str:
    """Return the wearer of a part of a subject."""
    return token.replace(_PLAIN_DOT, ".")


def incoming(wearer: str) -> str:
    """Return where a gateway publishes what a wearer's device has sent."""
    return f"{INCOMING}.{token(wearer)}"


def samples(partition: int | str, wearer: str | None = None) -> str:
    """Return where that is stored: of one wearer, or of all of a partition (``*``: of any)."""
    return f"ecg.{partition}.{'*' if wearer is None else token(wearer)}"


def place(subject: str) -> tuple[int, str]:
    """Return the partition and the wearer of a subject of `samples`."""
    _, partition, name = subject.split(".")
    return int(partition), wearer_of(name)


def asked(wearer: str) -> str:
    """Return where what is asked of a wearer's monitor is published."""
    return f"command.in.{token(wearer)}"


def commands(partition: int) -> str:
    """Return where that is stored: of all wearers of a partition."""
    return f"command.{partition}.*"


def transform(partitions: int, what: str = "ecg") -> str:
    """Return what a stream makes of a subject that is published to: of samples, or `command`."""
    return f"{what}.{{{{partition({partitions},1)}}}}.{{{{wildcard(1)}}}}"


def partitions_of(destination: str) -> int:
    """Return the number of partitions of a `transform`; raises `ValueError` if it is none."""
    found = _PARTITIONED.search(destination)
    if found is None:
        raise ValueError(f"{destination!r} divides wearers into no partitions")
    return int(found[1])


def owner_of_results(partition: int) -> str:
    """Return the subject of the fence before a partition's results."""
    return f"results.{partition}.owner"


def rows(partition: int | str) -> str:
    """Return the subject of a partition's results, but of those that last (see below)."""
    return f"results.{partition}.rows"


def alarm(partition: int, wearer: str, kind: str) -> str:
    """Return the subject of a wearer's alarms of a kind: the last message says how it stands."""
    return f"results.{partition}.alarm.{token(wearer)}.{kind}"


def pause(partition: int, wearer: str, kind: str) -> str:
    """Return the subject of a wearer's pauses of a kind of alarms; the last message counts."""
    return f"results.{partition}.pause.{token(wearer)}.{kind}"


def stream(partition: int | str, wearer: str | None) -> str:
    """Return the subject of beginnings and ends of streams, of a wearer or of all."""
    return f"results.{partition}.stream.{'*' if wearer is None else token(wearer)}"


def alarms(wearer: str | None) -> list[str]:
    """Return the subjects of the alarms and pauses of a wearer, or of all."""
    who = "*" if wearer is None else token(wearer)
    return [f"results.*.{what}.{who}.*" for what in ("alarm", "pause")]


def results(partition: int | str) -> str:
    """Return the subjects of all results of a partition (``*``: of any)."""
    return f"results.{partition}.>"


def state_key(partition: int, wearer: str) -> str:
    """Return the key of a wearer's state."""
    return f"{partition}.wearer.{token(wearer)}"


def position_key(partition: int) -> str:
    """Return the key of how far the states of a partition go."""
    return f"{partition}.position"


def owner_key(partition: int) -> str:
    """Return the key of the fence before a partition's states."""
    return f"{partition}.owner"


def key_subject(key: str) -> str:
    """Return the subject of a key of `STATES`."""
    return f"$KV.{STATES}.{key}"


def consumer(partition: int) -> str:
    """Return the name of the consumer whose pinned client owns a partition."""
    return f"monitor-{partition}"
