"""Errors that ecgmon raises on purpose: one class tree, each with its exit code.

Every message is one sentence for a person and says what to do.
"""


class EcgmonError(Exception):
    """Root of the tree; the command line prints the message and exits with ``exit_code``."""

    exit_code = 1


class UsageError(EcgmonError):
    """The call cannot be carried out as it was made (bad option, port in use, missing extra)."""

    exit_code = 2


class ConfigError(UsageError):
    """The configuration cannot be read, or says what is not known or not allowed."""


class LimitsError(UsageError):
    """Limits of alarms contradict each other; ``fields`` are the ones that do."""

    def __init__(self, reason: str, fields: tuple[str, ...]) -> None:
        super().__init__(reason)
        self.fields = fields


class RecordError(UsageError):
    """A record cannot be found, fetched or read."""


class RecordMissingError(RecordError):
    """A record is not on this machine and cannot be fetched."""


class BundleError(UsageError):
    """A model file is not a bundle, is damaged, or does not fit this monitor."""


class StoreError(UsageError):
    """The model store cannot be read or written, or does not hold what was asked for."""


class AccessError(UsageError):
    """A key cannot be read, made or trusted, or is not known."""


class StateError(EcgmonError):
    """Bytes are not a state that this object can go on from."""


class ProtocolError(EcgmonError):
    """Bytes from the network are not a valid frame or message."""


class RefusedError(EcgmonError):
    """What a peer asks for cannot be now; perhaps after ``retry_s``."""

    def __init__(self, reason: str, retry_s: float) -> None:
        super().__init__(reason)
        self.retry_s = retry_s
