"""The users of a fleet's account in NATS: what each may publish, and what it may listen to."""

import secrets
from dataclasses import dataclass, field
from typing import Final

from monitor.fleet import names
from monitor.fleet.alive import ALIVE

_STATES: Final = f"KV_{names.STATES}"
_STREAMS: Final = (names.SAMPLES, names.RESULTS, _STATES, names.COMMANDS)


@dataclass(frozen=True, slots=True)
class FleetUser:
    """A user and its rights.

    Parameters
    ----------
    name : str
        Of the part of the fleet that comes as this user.
    publish, listen : tuple of str
        Subjects, ``*`` and ``>`` in them as NATS knows them.
    password : str
        Of 256 random bits.
    """

    name: str
    publish: tuple[str, ...]
    listen: tuple[str, ...] = ()
    password: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def listens(self) -> tuple[str, ...]:
        """Return what it may listen to, with where answers to it arrive, and to nobody else."""
        return (f"_INBOX_{self.name}.>", *self.listen)


def users() -> tuple[FleetUser, ...]:
    """Return gateways', monitors', viewers' and the administrator's, with new passwords."""
    looks = ("$JS.API.INFO", "$JS.API.STREAM.NAMES", *_each("STREAM.INFO"))
    makes = _each("STREAM.CREATE")
    return (
        FleetUser(
            "gateway",
            (
                *looks,
                *makes,
                f"{names.INCOMING}.*",
                f"$JS.API.STREAM.MSG.GET.{names.SAMPLES}",
                *_direct(names.SAMPLES),
            ),
        ),
        FleetUser(
            "monitor",
            (
                *looks,
                *makes,
                "results.>",
                f"$KV.{names.STATES}.>",
                ALIVE,
                names.OUTCOMES,
                *_each("STREAM.MSG.GET"),
                *(subject for stream in _STREAMS for subject in _direct(stream)),
                *(subject for stream in _STREAMS for subject in _consuming(stream)),
            ),
            (ALIVE,),
        ),
        FleetUser(
            "viewer",
            (
                *looks,
                "command.in.*",
                f"$JS.API.STREAM.MSG.GET.{names.RESULTS}",
                *_direct(names.RESULTS),
                *_consuming(names.RESULTS),
                f"$JS.API.CONSUMER.INFO.{names.SAMPLES}.*",
                # How old the states are, not the states.
                f"$JS.API.DIRECT.GET.{_STATES}.{names.key_subject('*.position')}",
            ),
            (ALIVE, names.OUTCOMES),
        ),
        FleetUser("admin", (">",), (">",)),
    )


def _each(what: str) -> tuple[str, ...]:
    return tuple(f"$JS.API.{what}.{stream}" for stream in _STREAMS)


def _direct(stream: str) -> tuple[str, ...]:
    return (f"$JS.API.DIRECT.GET.{stream}", f"$JS.API.DIRECT.GET.{stream}.>")


def _consuming(stream: str) -> tuple[str, ...]:
    what = ("CREATE", "DURABLE.CREATE", "INFO", "DELETE", "MSG.NEXT", "UNPIN")
    asked = tuple(f"$JS.API.CONSUMER.{one}.{stream}.>" for one in what)
    # An ephemeral consumer of an old client has no name in the subject.
    return (
        *asked,
        f"$JS.API.CONSUMER.CREATE.{stream}",
        f"$JS.ACK.{stream}.>",
        f"$JS.FC.{stream}.>",
    )
