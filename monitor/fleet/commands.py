"""What viewers ask of the owner of a partition: each command is carried out once, in order.

A command waits in a stream of its own until the owner has carried it out, `COMMANDS_S` at most. It
is known by its number there, and the owner writes the number of the last one that it has carried
out beside what the command has changed: who takes over goes on after that number.
"""

import contextlib
from collections.abc import Awaitable, Callable
from typing import Annotated, Final, TypeVar

import msgspec

from ecgmon.core.errors import ProtocolError
from ecgmon.wire import messages
from ecgmon.wire.fields import Text
from monitor.fleet import names
from monitor.fleet.link import FleetLink
from monitor.fleet.ordered import OrderedReader, after
from monitor.ops.logs import logger

MAX_COMMAND: Final = 4096
"""Bytes of the longest command, and of the longest outcome."""
CommandId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}-[0-9]{1,15}\Z")]
"""Who asks, and a number: one that is published twice is stored once."""

_log = logger(__name__)


class FleetCommand(msgspec.Struct, frozen=True):
    """What a viewer asks of the monitor that owns a wearer's partition.

    Parameters
    ----------
    id : str
        What it is called.
    request : Acknowledge or Pause
        Of a wearer.
    """

    id: CommandId
    request: messages.Acknowledge | messages.Pause


class CommandOutcome(msgspec.Struct, frozen=True):
    """What has become of a command.

    Parameters
    ----------
    id : str
        The command's.
    refused : str or None
        Why it is not carried out; None where it is.
    """

    id: CommandId
    refused: Text | None = None


Act = Callable[[int, FleetCommand], Awaitable[str | None]]
"""Takes number and command; returns once what it changes is stored, or why it cannot be done."""
_T = TypeVar("_T", FleetCommand, CommandOutcome)
_ENCODER: Final = msgspec.json.Encoder()
_COMMAND: Final = msgspec.json.Decoder(FleetCommand)
_OUTCOME: Final = msgspec.json.Decoder(CommandOutcome)


def encode(command: FleetCommand | CommandOutcome) -> bytes:
    """Return a command or an outcome as bytes."""
    return _ENCODER.encode(command)


def decode_command(subject: str, data: bytes) -> FleetCommand:
    """Read a command; raises `ProtocolError` if it is none, or of another wearer's subject."""
    command = _decode(_COMMAND, data)
    wearer = command.request.wearer
    if wearer is None or names.token(wearer) != subject.rpartition(".")[2]:
        raise ProtocolError(f"A command about {wearer} came on {subject[:100]}.")
    return command


def decode_outcome(data: bytes) -> CommandOutcome:
    """Read what has become of a command; raises `ProtocolError` if it is not valid."""
    return _decode(_OUTCOME, data)


class CommandReader:
    """Hands the commands of a partition to its owner.

    Parameters
    ----------
    link : FleetLink
        Connected.
    partition : int
        Which.
    last : int
        Number of the last command that an owner has carried out; 0 for none.

    All is called in the thread of the link.
    """

    def __init__(self, link: FleetLink, partition: int, last: int) -> None:
        self._link = link
        self._partition = partition
        self._last = last

    async def run(self, act: Act) -> None:
        """Carry out commands one after the other, until this is cancelled or ``act`` raises.

        Those up to the last one that was carried out are passed over, and so is what is none.
        """
        subjects = [names.commands(self._partition)]
        reader = OrderedReader(self._link, names.COMMANDS, subjects, after(self._last))
        async with contextlib.aclosing(reader.messages()) as found:
            async for message in found:
                if message is None:
                    continue
                try:
                    command = decode_command(message.subject, message.data)
                except ProtocolError as error:
                    _log.warning("command-unreadable", reason=str(error))
                    continue
                refused = await act(message.metadata.sequence.stream, command)
                outcome = CommandOutcome(command.id, refused if refused is None else refused[:500])
                await self._link.client.publish(names.OUTCOMES, encode(outcome))


def _decode(decoder: msgspec.json.Decoder[_T], data: bytes) -> _T:
    if len(data) > MAX_COMMAND:
        raise ProtocolError(f"A command has {len(data)} bytes, more than {MAX_COMMAND}.")
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"A command is not valid: {str(error)[:300]}.") from error
