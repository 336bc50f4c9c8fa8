"""Plots as SVG elements of an HTML page, in the colours of the page's CSS variables."""

import io
import re
from collections.abc import Callable
from html import escape
from types import MappingProxyType
from typing import Final

import matplotlib as mpl
from matplotlib.figure import Figure

# Colours mean the same as in the terminal. *Normal* is the lighter one in greyscale, too.
COLOURS: Final = MappingProxyType(
    {
        "paper": "#ffffff",
        "ink": "#1f2328",
        "faint": "#656d76",
        "unusable": "#a8adb3",
        "normal": "#2fa866",
        "abnormal": "#a01590",
    }
)
"""Colours on white paper, by the name of the CSS variable that replaces each in the page."""
# Metadata of the file, sizes, and ids that would be the same in every plot of a page.
_SUPERFLUOUS: Final = re.compile(
    r'<metadata>.*?</metadata>|(?<=<g) id="[^"]*"| xmlns(:xlink)?="[^"]*"'
    r'| (width|height)="[\d.]+pt"',
    re.DOTALL,
)
_NUMBER: Final = re.compile(r"\d+\.\d{3,}")


def svg(name: str, label: str, draw: Callable[[Figure], None], height: float) -> str:
    """Draw a plot.

    Parameters
    ----------
    name : str
        Name that no other plot on the page has. The same plot of the same name gives the same
        text.
    label : str
        Description for people who cannot see the plot.
    draw : callable
        Draws into a figure that is 10 inches wide.
    height : float
        Height of the figure, in inches.

    Returns
    -------
    str
        Element for an HTML page that has CSS variables named as in `COLOURS`.
    """
    file = io.StringIO()
    with mpl.rc_context(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": name,
            "font.family": "sans-serif",
            "font.size": 9,
            "text.color": COLOURS["ink"],
            "axes.edgecolor": COLOURS["faint"],
            "axes.labelcolor": COLOURS["ink"],
            "axes.spines.top": False,
            "axes.spines.right": False,
            "xtick.color": COLOURS["faint"],
            "ytick.color": COLOURS["faint"],
            "xtick.labelcolor": COLOURS["ink"],
            "ytick.labelcolor": COLOURS["ink"],
        }
    ):
        figure = Figure(
            figsize=(10, height)
        )  # a layout engine's last digits are not the same twice
        figure.subplots_adjust(0.075, 0.45 / height, 0.96, 1 - 0.3 / height, wspace=0.05)
        draw(figure)
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    text = file.getvalue()
    text = _SUPERFLUOUS.sub("", text[text.index("<svg") :])
    text = _NUMBER.sub(lambda number: f"{float(number[0]):.2f}", text)
    text = text.replace("<svg", f'<svg role="img" aria-label="{escape(label)}"', 1)
    for colour, value in COLOURS.items():
        text = text.replace(value, f"var(--{colour})")
    return text
