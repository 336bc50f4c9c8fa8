import numpy as np

from ecgmon.terminal.braille import envelope, strokes

nan = float("nan")


def picture(low, high, height):
    codes = strokes(np.array(low, np.float32), np.array(high, np.float32), height)
    return ["".join(map(chr, row)) for row in codes]


def test_a_level_line_lies_on_the_row_of_its_value():
    assert picture([0] * 4, [0] * 4, 1) == ["⣀⣀"]
    assert picture([1] * 4, [1] * 4, 1) == ["⠉⠉"]
    assert picture([1 / 3] * 4, [1 / 3] * 4, 1) == ["⠤⠤"]
    assert picture([1] * 4, [1] * 4, 3) == ["⠉⠉", "  ", "  "]


def test_each_dot_has_its_own_bit():
    levels = [1, 2 / 3, 1 / 3, 0]
    left = [picture([level, nan], [level, nan], 1) for level in levels]
    right = [picture([nan, level], [nan, level], 1) for level in levels]
    assert left == [["⠁"], ["⠂"], ["⠄"], ["⡀"]]
    assert right == [["⠈"], ["⠐"], ["⠠"], ["⢀"]]


def test_a_stroke_fills_what_lies_between_its_ends():
    assert picture([0, 0], [1, 0], 2) == ["⡇", "⣇"]


def test_a_slope():
    steps = np.linspace(0, 1, 8)
    assert picture(steps, steps, 2) == ["  ⡠⠊", "⡠⠊  "]


def test_what_lies_outside_is_drawn_on_the_border():
    assert picture([-5, 0.9], [-5, 7], 1) == ["⡈"]


def test_what_is_not_known_is_not_drawn():
    assert picture([nan, nan], [nan, nan], 1) == [" "]


def test_the_envelope_joins_each_column_to_the_next():
    values = np.array([0, 1, 0, 5, 4, 5, -2], np.float32)
    low, high = envelope(values, 3)
    np.testing.assert_array_equal(low, [0, -2])
    np.testing.assert_array_equal(high, [5, 5])


def test_the_envelope_draws_nothing_where_there_is_nothing():
    values = np.array([nan, nan, 1, nan, nan, nan, 3], np.float32)
    low, high = envelope(values, 2)
    np.testing.assert_array_equal(low, [nan, 1, nan])
    np.testing.assert_array_equal(np.where(np.isnan(low), nan, high), [nan, 1, nan])
