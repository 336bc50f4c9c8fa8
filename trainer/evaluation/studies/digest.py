"""Which results are still valid: those made by the same code."""

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

_PACKAGES: Final = ("ecgmon", "trainer")
_ALWAYS: Final = ("trainer.evaluation.studies.run", "trainer.evaluation.studies.data")
"""Modules that all networks and results depend on."""


def digest(recipe: str, module: str = _ALWAYS[0]) -> str:
    """Return a digest of the code of ours that decides a result.

    What is asked of it, which `trainer.evaluation.studies.jobs` says, is not in it; nor are
    libraries. Another version of Python may write the same code otherwise, and has other digests.

    Parameters
    ----------
    recipe : str
        Whose networks it is made with.
    module : str
        Where they are used; unless it is given, what decides the networks alone.
    """
    found = hashlib.sha256()
    for path in sorted(_closure((*_ALWAYS, module, f"trainer.recipes.{recipe}"))):
        found.update(_code(path).encode())
    return found.hexdigest()[:12]


def _closure(modules: Iterable[str]) -> set[Path]:
    """Return the files of modules and of all that they import of ours."""
    seen: set[Path] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        path = _file(name)
        if path and path not in seen:
            seen.add(path)
            waiting += _imports(path)
    return seen


def _file(module: str) -> Path | None:
    """Return the file of a module of ours; None for other names."""
    package, *rest = module.split(".")
    if package not in _PACKAGES:
        return None
    base = Path(str(files(package))).joinpath(*rest)
    candidates = (base.with_suffix(".py"), base / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


@cache
def _imports(path: Path) -> tuple[str, ...]:
    """Return what a file imports, and whatever may be a module in it."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(found)


@cache
def _code(path: Path) -> str:
    """Return what a file does, without its comments and docstrings: they change no network."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            node.body = [
                line
                for line in node.body
                if not (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))
            ]
    return ast.dump(tree)
