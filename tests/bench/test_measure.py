"""What the tables of the benches are made with."""

from bench.measure import spread


def test_spread_tells_the_median_and_where_nine_of_ten_lie() -> None:
    """One value far off moves neither the median nor, among many, the bounds."""
    assert spread([*range(100), 10_000]) == "50.0 (5.0-95.0)"


def test_lone_value_has_no_spread() -> None:
    """It stands as it is; of nothing, nothing is told."""
    assert spread([2.5]) == "2.5"
    assert not spread([])
