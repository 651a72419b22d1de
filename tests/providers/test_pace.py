"""For how long pieces of an answer are kept together as they are read."""

import pytest

from protocol.settings import General, Limits, Settings
from providers.service import LONGEST_LULL_S, lull_s


@pytest.mark.parametrize(
    ("merge_ms", "token_gap_s", "expected"),
    [(30, 20, 0.0315), (0, 20, 0.0), (5_000, 20, LONGEST_LULL_S), (5_000, 0.2, 0.05)],
)
def test_lull_follows_what_clients_are_told(
    merge_ms: int, token_gap_s: float, expected: float
) -> None:
    """It is never long, and never taken for the silence of the service."""
    general, limits = General(merge_ms=merge_ms), Limits(token_gap_s=token_gap_s)
    assert lull_s(Settings(general=general, limits=limits)) == pytest.approx(expected)
