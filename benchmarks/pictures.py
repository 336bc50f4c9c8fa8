"""Takes the pictures of the live view that the documentation shows.

Run by ``make pictures``: each record is replayed at real time in a terminal (tmux), and the screen
is drawn into docs/ a moment after it first shows the words that are waited for.
"""

import io
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import matplotlib as mpl
from PIL import Image, ImageDraw, ImageFont
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT: Final = Path(__file__).parents[1]
COLUMNS: Final = 110
ROWS: Final = 32
PIXELS: Final = (11, 22)
"""Width and height of a character."""
FONT: Final = Path(mpl.get_data_path()) / "fonts" / "ttf"
POLL_S: Final = 0.2
PATIENCE_S: Final = 180

BEATS: Final = ("--beat-model", "beats")
PICTURES: Final = {
    "view.png": (("203",), "beatnet  01:03", 0.0),
    "beats-208.png": (("208", *BEATS), "couplet", 1.5),
    "beats-233.png": (("233", *BEATS), "ventricular run", 1.5),
}
"""What is replayed, which words are waited for, and for how many seconds after them."""
BRAILLE: Final = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
"""Column and row of each bit's dot."""
Colour = tuple[int, ...]
THEME: Final = TerminalTheme(
    (18, 18, 18),
    (208, 208, 208),
    [
        (18, 18, 18),
        (205, 49, 49),
        (95, 255, 135),
        (255, 215, 95),
        (95, 135, 255),
        (255, 135, 255),
        (95, 215, 255),
        (208, 208, 208),
    ],
)


def tmux(*command: str) -> str:
    """Return the output of a command to a tmux server of our own."""
    done = subprocess.run(  # noqa: S603 - ours
        ["tmux", "-L", "ecgmon-pictures", *command],  # noqa: S607 - the one on the path
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def screen(options: tuple[str, ...], words: str, then_s: float) -> str:
    """Return the terminal's text with its colours, some seconds after words first stood in it."""
    name = f"of-{options[0]}"
    command = [str(Path(sys.executable).with_name("ecgmon")), "replay", *options]
    tmux("new-session", "-d", "-s", name, "-x", str(COLUMNS), "-y", str(ROWS), *command)
    try:
        until = time.monotonic() + PATIENCE_S
        while words not in tmux("capture-pane", "-p", "-t", name):
            if time.monotonic() > until:
                raise SystemExit(f"The view of {options[0]} never showed {words!r}.")
            time.sleep(POLL_S)
        time.sleep(then_s)
        return tmux("capture-pane", "-e", "-N", "-p", "-t", name)
    finally:
        tmux("kill-session", "-t", name)


def drawn(ansi: str) -> Image.Image:
    """Return a picture of a terminal's text."""
    width, height = PIXELS
    fonts = {
        bold: ImageFont.truetype(str(FONT / f"DejaVuSansMono{'-Bold' * bold}.ttf"), 18)
        for bold in (False, True)
    }
    background = tuple(THEME.background_color)
    size = ((COLUMNS + 1) * width, (ROWS + 1) * height)
    image = Image.new("RGB", size, background)
    draw = ImageDraw.Draw(image)
    console = Console(width=COLUMNS, color_system="truecolor", file=io.StringIO())
    for row, line in enumerate(ansi.splitlines()):
        column = 0
        for part in Text.from_ansi(line).render(console):
            style = part.style or Style.null()
            front, back = colours(style)
            for letter in part.text.rstrip("\n"):
                x, y = width // 2 + column * width, height // 2 + row * height
                if back != background:
                    draw.rectangle((x, y, x + width - 1, y + height - 1), fill=back)
                if not block(draw, letter, x, y, front):
                    draw.text((x, y), letter, fill=front, font=fonts[bool(style.bold)])
                column += 1
    return image


def block(draw: ImageDraw.ImageDraw, letter: str, x: int, y: int, colour: Colour) -> bool:
    """Draw blocks and dots, which fonts have in other sizes or not; tells whether it is one."""
    width, height = PIXELS
    if "▁" <= letter <= "█":  # eighths, from below
        top = y + height - round(height * (ord(letter) - ord("▁") + 1) / 8)
        draw.rectangle((x, top, x + width - 1, y + height - 1), fill=colour)
    elif "⠀" <= letter <= "⣿":  # a bit for each dot
        for bit, (column, row) in enumerate(BRAILLE):
            if (ord(letter) - ord("⠀")) >> bit & 1:
                left, top = x + round(width * column / 2) + 1, y + round(height * row / 4) + 1
                draw.rectangle((left, top, left + 3, top + 3), fill=colour)
    else:
        return False
    return True


def colours(style: Style) -> tuple[Colour, Colour]:
    """Return the colours of letters and of what is behind them."""
    front = tuple(style.color.get_truecolor(THEME) if style.color else THEME.foreground_color)
    back = tuple(
        style.bgcolor.get_truecolor(THEME, foreground=False)
        if style.bgcolor
        else THEME.background_color
    )
    if style.reverse:
        front, back = back, front
    if style.dim:
        front = tuple((2 * a + b) // 3 for a, b in zip(front, back, strict=True))
    return front, back


def main() -> None:
    """Take the pictures with the names that are given, or all."""
    for name in sys.argv[1:] or PICTURES:
        drawn(screen(*PICTURES[name])).save(ROOT / "docs" / name, optimize=True)


if __name__ == "__main__":
    main()
