import pytest

from ecgmon.terminal.canvas import Canvas, Look


def cells(canvas):
    """Return what is printed in each cell: the character, and whether it is in reverse."""
    return [
        [(cell, bool(segment.style.reverse)) for segment in line for cell in segment.text]
        for line in canvas.lines()
    ]


def rows(canvas):
    return ["".join(cell for cell, _ in row) for row in cells(canvas)]


@pytest.mark.parametrize(
    ("column", "shown"), [(0, "abcdef"), (-2, "cdef  "), (4, "    ab"), (-9, " " * 6), (9, " " * 6)]
)
def test_text_is_cut_at_the_borders(column, shown):
    canvas = Canvas(6, 1)
    assert canvas.write(0, column, "abcdef") == column + 6
    assert rows(canvas) == [shown]


def test_a_row_outside_is_not_written():
    canvas = Canvas(3, 2)
    canvas.write(-1, 0, "abc")
    canvas.write(2, 0, "abc")
    assert rows(canvas) == ["   ", "   "]


def test_a_part_paints_only_inside_its_own_area_of_the_canvas():
    canvas = Canvas(6, 4)
    part = canvas.part(1, 2, 2, 3)
    for row in range(9):
        part.write(row, -1, "#" * 9)
    assert rows(canvas) == ["      ", "  ### ", "  ### ", "      "]
    assert (part.width, part.height) == (3, 2)
    assert canvas.part(9, 9, 2, 2).height == 0


def test_a_drawings_blanks_are_transparent():
    canvas, drawing = Canvas(4, 1), Canvas(4, 1)
    canvas.write(0, 0, "abcd", Look.GRID)
    drawing.write(0, 1, "x")
    canvas.paint(drawing.codes, Look.ABNORMAL)
    assert rows(canvas) == ["axcd"]
    assert canvas.looks.tolist() == [[Look.GRID, Look.ABNORMAL, Look.GRID, Look.GRID]]


def test_blanks_take_no_look_that_could_be_seen():
    canvas = Canvas(8, 1)
    canvas.write(0, 0, "q ", Look.TITLE)
    canvas.write(0, 3, "x", Look.ABNORMAL)
    canvas.write(0, 5, "y", Look.FAINT)
    assert cells(canvas) == [[*zip("q  x y  ", [True] * 2 + [False] * 6, strict=True)]]
    line = next(canvas.lines())
    assert [segment.text for segment in line] == ["q ", " ", "x ", "y  "]
