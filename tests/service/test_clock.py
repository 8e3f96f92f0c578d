"""Ids from the real clock."""

from itertools import pairwise

from vsdk.service.clock import SystemClock


def test_tokens_are_distinct_long_and_never_look_like_an_option() -> None:
    clock = SystemClock()
    tokens = [clock.token() for _ in range(2000)]
    assert len(set(tokens)) == len(tokens)
    assert {len(token) for token in tokens} == {22}
    assert not any(token.startswith("-") for token in tokens)


def test_time_is_aware_and_does_not_go_back() -> None:
    clock = SystemClock()
    times = [clock.now() for _ in range(100)]
    assert all(t.tzinfo is not None for t in times)
    assert all(earlier <= later for earlier, later in pairwise(times))
