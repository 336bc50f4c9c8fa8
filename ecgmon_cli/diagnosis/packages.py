"""Whether the packages that Python imports are those of this distribution."""

import base64
import hashlib
from collections.abc import Iterator
from importlib.metadata import distributions, packages_distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from ecgmon_cli.diagnosis.finding import Finding, ok, problem

PACKAGES: Final = ("ecgmon", "ecgmon_cli", "monitor", "viewer", "replay", "trainer")
"""The packages of this distribution, by the names under which Python imports them."""
ADVICE: Final = "install ecgmon into an environment of its own, such as pipx install ecgmon makes"


def packages() -> Iterator[Finding]:
    """Find packages of other projects in place of ours.

    Other projects have packages of the same names, such as ``trainer``. If one of them is installed
    into the same environment, its files replace ours without a message. So each package must lie
    beside this one, and each file must have the digest that the installer recorded. An editable
    installation records no digests of ours.
    """
    home = Path(__file__).resolve().parents[2]
    strange = [
        f"Python finds another {name}, at {place}"
        for name in PACKAGES
        if (place := _place(name)) != home / name
    ] or _changed()
    if not strange:
        yield ok("packages", f"{', '.join(PACKAGES)} are ecgmon's own, in {home}")
    for text in strange:
        yield problem("packages", text, ADVICE)


def _place(name: str) -> Path | None:
    """Return the folder from which Python imports a package; the package is not loaded."""
    spec = find_spec(name)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    return Path(folders[0]).resolve() if folders else None


def _changed() -> list[str]:
    """Say which files differ from what was installed, and which distributions have files there."""
    installed = next(iter(distributions(name="ecgmon")), None)
    changed: dict[str, list[str]] = {}
    for file in (installed.files if installed else None) or ():
        if file.parts[0] in PACKAGES and file.hash is not None:
            digest = _digest(Path(str(file.locate())), file.hash.mode)
            if digest != file.hash.value:
                changed.setdefault(file.parts[0], []).append(str(file))
    others = packages_distributions() if changed else {}
    found = []
    for name, files in changed.items():
        more = f" and {len(files) - 1} other files" if len(files) > 1 else ""
        strangers = sorted({*others.get(name, ())} - {"ecgmon"})
        who = f"; {' and '.join(strangers)} installed files there" if strangers else ""
        found.append(f"not as it was installed: {files[0]}{more}{who}")
    return found


def _digest(file: Path, algorithm: str) -> str:
    """Return a file's digest as installers record it; empty for a file that cannot be read."""
    try:
        content = file.read_bytes()
    except OSError:
        return ""
    digest = hashlib.new(algorithm, content).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
