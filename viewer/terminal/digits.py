"""Numbers large enough to be read across a room, in half blocks."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

# Three by five pixels each, row by row.
_FONT: Final = {
    "0": "111 101 101 101 111",
    "1": "010 110 010 010 111",
    "2": "111 001 111 100 111",
    "3": "111 001 111 001 111",
    "4": "101 101 111 001 001",
    "5": "111 100 111 001 111",
    "6": "111 100 111 101 111",
    "7": "111 001 001 001 001",
    "8": "111 101 111 101 111",
    "9": "111 101 111 001 111",
    "-": "000 000 111 000 000",
}
_BLOCKS: Final = np.array([ord(c) for c in " ▄▀█"], np.uint32)


def large(text: str, scale: int) -> NDArray[np.uint32]:
    """Draw digits and dashes.

    Parameters
    ----------
    text : str
        What to draw.
    scale : int
        1 for digits of 3 x 3 cells, 2 for 6 x 5, and so on.

    Returns
    -------
    ndarray of uint32, shape (rows, columns)
        Code points of block characters.
    """
    rows = ["0".join(_FONT[c].split()[row] for c in text) for row in range(5)]
    pixels = np.array([[int(pixel) for pixel in row] for row in rows])
    pixels = np.kron(pixels, np.ones((scale, scale), int))
    # Two pixels to a cell, one above the other: an odd height gets an empty row on top.
    pixels = np.pad(pixels, ((len(pixels) % 2, 0), (0, 0)))
    codes: NDArray[np.uint32] = _BLOCKS[2 * pixels[::2] + pixels[1::2]]
    return codes
