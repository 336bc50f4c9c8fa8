"""What the front and its workers say to each other, in MessagePack.

Both ends are of one version and trust each other: the front starts the workers and gives each one
end of a pair of sockets that nobody else can reach.
"""

from typing import Final

import msgspec

Said = tuple[bytes, str, bytes]
"""A device's message: its connection, the user who was authenticated, and what was sent."""
Answered = tuple[bytes, bytes, str]
"""An answer to a device: its connection, the message, and the stream if that is a welcome."""
ToldWord = tuple[str, str | None, bytes]
"""A published message: subject, wearer and the message; see `monitor.sinks.viewers.Told`."""
Sample = tuple[str, dict[str, str], float]
"""A figure: name, labels and value."""
Family = tuple[str, str, str, list[Sample]]
"""Figures of one name: the name, what they are, their kind, and the samples."""


class FromFront(msgspec.Struct, tag=True, array_like=True, frozen=True):
    """Front: a word to a worker."""


class Devices(FromFront, frozen=True):
    """Front: devices have said this."""

    said: list[Said]


class Room(FromFront, frozen=True):
    """Front: so many places are taken by wearers of other workers."""

    elsewhere: int


class TakeOver(FromFront, frozen=True):
    """Front: these wearers are the worker's from now on; answered by `TakenOver`."""

    wearers: list[str]


class Topics(FromFront, frozen=True):
    """Front: viewers have these topics; those who may come back have others besides."""

    here: list[str]
    away: list[str]


class Show(FromFront, frozen=True):
    """Front: a viewer is to be told how things stand, by its topics; answered by `Shown`."""

    number: int
    topics: list[str]


class Ask(FromFront, frozen=True):
    """Front: a viewer's request; answered by `Replied`."""

    number: int
    user: str
    message: bytes


class SeenKinds(FromFront, frozen=True):
    """Front: people have acknowledged these alarms of the monitor itself."""

    kinds: list[str]


class Reload(FromFront, frozen=True):
    """Front: the configuration is to be read again."""


class End(FromFront, frozen=True):
    """Front: the worker is to write what it has, and to end."""


class ToFront(msgspec.Struct, tag=True, array_like=True, frozen=True):
    """Worker: a word to the front."""


class Ready(ToFront, frozen=True):
    """Worker: it has started."""


class Answers(ToFront, frozen=True):
    """Worker: devices are answered."""

    answers: list[Answered]


class TakenOver(ToFront, frozen=True):
    """Worker: the alarms of these wearers are known here."""

    wearers: list[str]


class News(ToFront, frozen=True):
    """Worker: it publishes this."""

    told: list[ToldWord]


class Shown(ToFront, frozen=True):
    """Worker: this is how its wearers are."""

    number: int
    told: list[ToldWord]


class Replied(ToFront, frozen=True):
    """Worker: it has carried out a request, or says why not."""

    number: int
    refused: str | None


class Conditions(ToFront, frozen=True):
    """Worker: which conditions of the monitor itself hold, and the texts of their alarms."""

    holding: dict[str, str | None]


class Alive(ToFront, frozen=True):
    """Worker: it has kept up in the last second; its wearers with a place are these.

    ``closed`` tells that it is overloaded and takes on no other.
    """

    wearers: list[str]
    closed: bool


class CountedFigures(ToFront, frozen=True):
    """Worker: its figures for Prometheus."""

    families: list[Family]


ToWorker = Devices | Room | TakeOver | Topics | Show | Ask | SeenKinds | Reload | End
FromWorker = (
    Ready | Answers | TakenOver | News | Shown | Replied | Conditions | Alive | CountedFigures
)

TO_WORKER: Final[msgspec.msgpack.Decoder[ToWorker]] = msgspec.msgpack.Decoder(ToWorker)
FROM_WORKER: Final[msgspec.msgpack.Decoder[FromWorker]] = msgspec.msgpack.Decoder(FromWorker)
