"""The models of beats in service, each loaded once for all who use it."""

from collections.abc import Callable
from pathlib import Path
from weakref import WeakValueDictionary

from ecgmon.core.errors import StoreError, UsageError
from ecgmon.models.beat_bundle import BeatModel


class BeatModelPool:
    """Loads each bundle once.

    Parameters
    ----------
    resolve : callable
        Gives the path of the bundle that judges a wearer's beats; None where nobody judges them.
    """

    def __init__(self, resolve: Callable[[str], Path | None]) -> None:
        self._resolve = resolve
        self._loaded: WeakValueDictionary[Path, BeatModel] = WeakValueDictionary()

    def serving(
        self, wearer: str, judging: BeatModel | None = None
    ) -> tuple[BeatModel | None, str | None]:
        """Return who judges a wearer's beats from now on, and why it is not the model in service.

        Parameters
        ----------
        wearer : str
            Who.
        judging : BeatModel, optional
            Who judges so far; it goes on in place of one that cannot serve.
        """
        try:
            return self._load(wearer), None
        except UsageError as error:
            return judging, str(error)[:500]

    def _load(self, wearer: str) -> BeatModel | None:
        try:
            path = self._resolve(wearer)
            if path is None:
                return None
            model = self._loaded.get(path)
            if model is None:
                model = BeatModel.load(path)
                model.require_live(path)
                self._loaded[path] = model
        except OSError as error:  # as when no file can be opened any more
            raise StoreError(f"The models cannot be read: {error.strerror}.") from error
        return model
