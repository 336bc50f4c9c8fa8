"""Recipes, of studies 2 to 5 and our own: each file but this one is one, named as the file is."""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ecgmon.core.errors import UsageError

if TYPE_CHECKING:
    from trainer.training.recipe import Recipe

OF_WINDOWS: Final = ("pictures",)
"""Recipes that judge windows, not beats: known here without loading torch."""


def names() -> list[str]:
    """Return the names of all recipes."""
    return sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))


def recipe(name: str) -> "Recipe":
    """Return a recipe; raises `UsageError` where there is none of that name."""
    if name not in names():
        raise UsageError(f"There is no recipe {name}: choose one of {', '.join(names())}.")
    from trainer.training.recipe import Recipe

    found = importlib.import_module(f"trainer.recipes.{name}").RECIPE
    if not isinstance(found, Recipe):
        raise TypeError(f"trainer/recipes/{name}.py defines no RECIPE")
    return found
