"""Lines drawn in braille: each character cell holds 2 x 4 dots."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.terminal.canvas import BLANK, BRAILLE

# Bit of the dot in row 0-3, column 0-1 of a cell (Unicode 2800-28FF).
_BITS: Final = np.array([[1, 8], [2, 16], [4, 32], [64, 128]], np.uint8)


def envelope(
    values: NDArray[np.float32], per_column: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the lowest and highest value of each column of dots, joined to the next column.

    Parameters
    ----------
    values : ndarray of float32, shape (columns * per_column + 1,)
        Samples; NaN where there is none. The last one only joins the last column to it.
    per_column : int
        Samples in one column.
    """
    columns = values[:-1].reshape(-1, per_column)
    joint = values[per_column::per_column]
    low, high = np.fmin.reduce(columns, axis=1), np.fmax.reduce(columns, axis=1)
    # A column without a sample stays empty, whatever follows it.
    return np.where(np.isnan(low), low, np.fmin(low, joint)), np.fmax(high, joint)


def strokes(low: NDArray[np.float32], high: NDArray[np.float32], height: int) -> NDArray[np.uint32]:
    """Draw one upright stroke for each column of dots.

    Parameters
    ----------
    low, high : ndarray of float32, shape (2 * width,)
        Ends of each stroke, 0 at the bottom and 1 at the top of the drawing; what lies outside
        is drawn on the border, and NaN is not drawn.
    height : int
        Height of the drawing in cells.

    Returns
    -------
    ndarray of uint32, shape (height, width)
        Code points: braille, and a blank where there is no dot.
    """
    dots = 4 * height
    top = np.rint((1 - np.clip(high, 0, 1)) * (dots - 1))
    bottom = np.rint((1 - np.clip(low, 0, 1)) * (dots - 1))
    row = np.arange(dots)[:, None]
    cells = ((row >= top) & (row <= bottom)).reshape(height, 4, -1, 2)
    bits = (cells * _BITS[None, :, None, :]).sum(axis=(1, 3), dtype=np.uint32)
    return np.where(bits == 0, np.uint32(BLANK), bits + np.uint32(BRAILLE))
