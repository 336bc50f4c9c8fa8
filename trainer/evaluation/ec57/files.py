"""Annotation files: those of a folder against the reference annotations of MIT-BIH."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

from ecgmon.core.constants import RATE
from ecgmon.core.errors import RecordError, UsageError
from ecgmon.records.fetch import obtain
from ecgmon.records.formats.wfdb.annotations import Annotation, encode, load
from ecgmon.records.formats.wfdb.header import read_header
from ecgmon.records.many import each
from ecgmon.records.record import Found
from trainer.data.protocol_splits import NON_PACED
from trainer.evaluation.ec57.comparison import Comparison

_OTHER_FILES: Final = (".hea", ".dat")
"""What may lie beside annotation files: headers and signals."""
_CODES: Final = MappingProxyType({"N": 1, "S": 9, "V": 5, "F": 6, "Q": 13})
"""WFDB code of the symbol that each class shares its letter with."""


@dataclass(frozen=True, slots=True)
class Annotator:
    """Annotation files of one annotator.

    Parameters
    ----------
    folder : Path
        Where they are.
    extension : str
        The annotator's name, as in ``100.extension``.
    records : tuple of str
        Those of the 44 records that have one.
    """

    folder: Path
    extension: str
    records: tuple[str, ...]

    @classmethod
    def find(cls, folder: Path, extension: str | None = None) -> Self:
        """Look for annotation files of the 44 records.

        Without ``extension`` it is the only one that files named after these records have; headers
        and signals (.hea, .dat) do not count.

        Raises
        ------
        UsageError
            If there is no such folder, none of the files, or more than one annotator's.
        """
        try:
            paths = [p for p in folder.iterdir() if p.stem in NON_PACED and p.is_file()]
        except OSError as error:
            raise UsageError(
                f"The folder {folder} cannot be read ({error.strerror}): give one that holds "
                "annotation files, such as 100.qrs."
            ) from error
        if extension is None:
            others = sorted({path.suffix for path in paths} - {"", *_OTHER_FILES})
            if len(others) > 1:
                raise UsageError(
                    f"{folder} holds files of several annotators ({', '.join(others)}): choose one "
                    "with --annotator."
                )
            suffix = others[0] if others else ".qrs"
        else:
            suffix = f".{extension.removeprefix('.')}"
        names = {path.stem for path in paths if path.suffix == suffix}
        if not names:
            raise UsageError(
                f"{folder} holds no annotation file of any of the 44 records: name them by record "
                f"and annotator, such as 100{suffix}."
            )
        return cls(folder, suffix[1:], tuple(name for name in NON_PACED if name in names))

    @property
    def name(self) -> str:
        """What to call them: the folder's name and the annotator's."""
        return f"{self.folder.resolve().name}-{self.extension}".lstrip("-")

    @property
    def missing(self) -> tuple[str, ...]:
        """Records without a file."""
        return tuple(name for name in NON_PACED if name not in self.records)

    def compare(
        self,
        data: Path | None,
        progress: Callable[[str], None],
        skipped: dict[str, RecordError] | None = None,
    ) -> dict[str, Comparison]:
        """Compare every file with the record's reference annotations.

        Parameters
        ----------
        data : Path, optional
            Folder to look for the records in first.
        progress : callable
            Called with each record's name before it is compared.
        skipped : dict of str to RecordError, optional
            As `ecgmon.records.many.each` takes it.

        Raises
        ------
        RecordError
            If a record or its reference annotations cannot be had, or a file is damaged; names all
            such files.
        """

        def fetch(name: str) -> Found:
            progress(name)
            return obtain(f"mitdb/{name}", data=data)

        return dict(each(self.records, self._compare, data=data, fetch=fetch, skipped=skipped))

    def _compare(self, found: Found) -> Comparison:
        name = found.path.name
        header = read_header(found)
        if header.rate != RATE or header.length is None:
            raise RecordError(
                f"The header {found.path}.hea is not MIT-BIH's, of {RATE} Hz and with its number "
                "of samples: point --data or $ECGMON_DATA at another copy."
            )
        return compare_files(found, self.folder / f"{name}.{self.extension}")


def compare_files(found: Found, tested: Path) -> Comparison:
    """Compare an annotation file with the reference annotations of a record of any rate.

    Raises
    ------
    RecordError
        If one of them cannot be read, or the record's header does not state its length.
    """
    header = read_header(found)
    if header.length is None:
        raise RecordError(f"The header {found.path}.hea does not state the number of samples.")
    reference = found.path.with_name(f"{found.path.name}.atr")
    return Comparison.of(
        read_annotations(reference, header.rate, "copy or fetch it again"),
        read_annotations(tested, header.rate, "write it again, or take it away"),
        round(header.length * RATE / header.rate),
    )


def write_annotations(path: Path, beats: Iterable[tuple[int, str]]) -> None:
    """Write beats as an annotation file, for the comparison or any other WFDB program.

    Parameters
    ----------
    path : Path
        The file, such as ``100.qrs``.
    beats : iterable of (int, str)
        Sample index at 360 Hz and AAMI class (N, S, V, F or Q) of each, in the order of time.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    path.write_bytes(encode(Annotation(sample, _CODES[label]) for sample, label in beats))


def read_annotations(path: Path, rate: float, remedy: str) -> list[Annotation]:
    """Read an annotation file; its samples are given at 360 Hz, and none before the first.

    Parameters
    ----------
    path : Path
        The file.
    rate : float
        Its samples per second where it does not state them: the record's.
    remedy : str
        What to do where it cannot be read.

    Raises
    ------
    RecordError
        If it cannot be read, or has no end.
    """
    try:
        loaded = load(path)
        if not loaded.ended:  # beats that were cut off would count as missed
            raise ValueError("has no end")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else f"it {error}"
        raise RecordError(
            f"The annotation file {path} cannot be read ({why}): {remedy}."
        ) from error
    factor = RATE / (loaded.rate or rate)
    return [
        one._replace(sample=int(one.sample * factor + 0.5))
        for one in loaded.marks
        if one.sample >= 0
    ]
