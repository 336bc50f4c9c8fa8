"""The models of one kind in service, each loaded once for all who use it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

from ecgmon.core.errors import StoreError, UsageError
from ecgmon.models.bundle import Served

ServedT = TypeVar("ServedT", bound=Served[Any])


class BundlePool(Generic[ServedT]):
    """Loads each bundle once.

    Parameters
    ----------
    resolve : callable
        Gives the path of the bundle that judges a wearer; None where nobody does.
    load : callable
        Reads a bundle that a monitor can serve.
    """

    def __init__(
        self, resolve: Callable[[str], Path | None], load: Callable[[Path], ServedT]
    ) -> None:
        self._resolve = resolve
        self._load_bundle = load
        self._loaded: WeakValueDictionary[Path, ServedT] = WeakValueDictionary()

    def serving(
        self, wearer: str, judging: ServedT | None = None
    ) -> tuple[ServedT | None, str | None]:
        """Return who judges a wearer from now on, and why it is not the model in service.

        Parameters
        ----------
        wearer : str
            Who.
        judging : optional
            The model that judges so far; it goes on in place of one that cannot serve.
        """
        try:
            return self._load(wearer), None
        except UsageError as error:
            return judging, str(error)[:500]

    def _load(self, wearer: str) -> ServedT | None:
        try:
            path = self._resolve(wearer)
            if path is None:
                return None
            model = self._loaded.get(path)
            if model is None:
                model = self._loaded[path] = self._load_bundle(path)
                model.forget_training()
        except OSError as error:  # as when no file can be opened any more
            raise StoreError(f"The models cannot be read: {error.strerror}.") from error
        return model
