"""When further connections are proposed."""

from dataclasses import replace

from exgs.protocol import ConnectionConfig
from exgs.protocol.growth import Flow, LinkGrowth

HELD_BACK = Flow(bytes_per_s=400_000, rtt_s=0.05, quietest_s=0.05, held_bytes=0, max_bytes_per_s=0)
QUEUED = replace(HELD_BACK, rtt_s=0.12)


def grown(links: int, *, at_s: float = 10.0) -> LinkGrowth:
    """With so many links up since ``at_s``, and data flowing."""
    growth = LinkGrowth(ConnectionConfig())
    growth.wanted(HELD_BACK, at_s - 5)
    growth.set_up(range(1, links + 1), at_s)
    return growth


def test_the_first_is_proposed_once_data_has_flowed_for_a_while() -> None:
    growth = LinkGrowth(ConnectionConfig())
    assert growth.wanted(replace(QUEUED, bytes_per_s=0.0), 0.0) is None
    assert growth.wanted(QUEUED, 1.0) is None
    assert growth.wanted(QUEUED, 1.4) is None
    assert growth.wanted(replace(QUEUED, bytes_per_s=0.0), 1.45) is None
    assert growth.wanted(QUEUED, 1.5) is None
    assert growth.wanted(QUEUED, 2.1) == 1
    assert growth.wanted(HELD_BACK, 4.0) is None, "the first must be up: round trips say nothing before"


def test_windows_that_hold_back_call_for_more_up_to_the_bound() -> None:
    growth, rate = grown(1), 400_000.0
    for number in (2, 3, 4):
        at_s = 10.0 * number
        assert growth.wanted(replace(HELD_BACK, bytes_per_s=rate), at_s) == number
        growth.set_up(range(1, number + 1), at_s + 0.2)
        rate *= 1.5
        assert growth.wanted(replace(HELD_BACK, bytes_per_s=rate), at_s + 0.9) is None, "it settles first"
    assert growth.wanted(replace(HELD_BACK, bytes_per_s=rate), 60.0) is None


def test_a_full_link_a_slow_client_and_a_cap_call_for_none() -> None:
    capped = replace(HELD_BACK, max_bytes_per_s=420_000)
    for flow in (QUEUED, replace(HELD_BACK, held_bytes=3 << 20), capped, replace(HELD_BACK, rtt_s=None)):
        assert grown(1).wanted(flow, 20.0) is None
    assert grown(1).wanted(replace(capped, max_bytes_per_s=4_000_000), 20.0) == 2


def test_a_session_that_began_with_a_queue_knows_it_by_its_greeting() -> None:
    busy = replace(HELD_BACK, rtt_s=0.12, quietest_s=0.12)
    assert grown(1).wanted(busy, 20.0) == 2
    assert grown(1).wanted(replace(busy, quietest_s=0.05), 20.0) is None


def test_between_two_queues_a_link_is_full_all_the_same() -> None:
    growth = grown(1)
    assert growth.wanted(QUEUED, 20.0) is None
    assert growth.wanted(replace(HELD_BACK, bytes_per_s=200_000), 21.5) is None, "it may recover yet"
    assert growth.wanted(replace(HELD_BACK, bytes_per_s=300_000), 22.1) is None
    assert growth.wanted(replace(HELD_BACK, bytes_per_s=200_000), 22.2) == 2, "far from what the link bears"
    other = grown(1)
    assert other.wanted(QUEUED, 20.0) is None
    assert other.wanted(HELD_BACK, 28.5) == 2, "no queue for a while"


def test_one_that_did_harm_makes_the_next_wait() -> None:
    growth = grown(1)
    assert growth.wanted(HELD_BACK, 20.0) == 2
    growth.set_up((1, 2), 20.2)
    worse = replace(HELD_BACK, bytes_per_s=300_000)
    assert growth.wanted(worse, 21.0) is None
    assert growth.wanted(worse, 23.9) is None
    assert growth.wanted(worse, 24.1) == 3


def test_a_refusal_makes_the_next_wait_ever_longer() -> None:
    growth, at_s = grown(1), 20.0
    waits = []
    for _ in range(6):
        assert growth.wanted(HELD_BACK, at_s) == 2
        growth.failed(2, at_s)
        refused_s = at_s
        while growth._not_before_s > at_s:
            at_s += 0.5
        waits.append(at_s - refused_s)
        growth._rate_before = 0.0
    assert waits == [3.0, 6.0, 12.0, 24.0, 30.0, 30.0]


def test_one_need_not_be_up_for_the_next_to_be_proposed() -> None:
    growth = grown(1)
    assert [growth.wanted(HELD_BACK, at_s) for at_s in (20.0, 20.5, 20.8, 21.6, 23.0)] == [
        2,
        None,
        3,
        4,
        None,
    ]


def test_a_proposal_that_comes_to_nothing_is_forgotten() -> None:
    growth = LinkGrowth(ConnectionConfig(max_links=2))
    growth.wanted(HELD_BACK, 5.0)
    growth.set_up((1,), 10.0)
    assert growth.wanted(HELD_BACK, 20.0) == 2
    assert growth.wanted(HELD_BACK, 31.0) is None
    assert growth.wanted(HELD_BACK, 32.5) is None
    assert growth.wanted(HELD_BACK, 40.0) == 2


def test_a_lost_one_is_proposed_again() -> None:
    growth = grown(2)
    growth.set_up((2,), 11.0)
    assert growth.wanted(HELD_BACK, 20.0) == 1


def test_an_answer_is_awaited_once() -> None:
    growth = grown(1)
    assert not growth.awaits(2)
    assert growth.wanted(HELD_BACK, 20.0) == 2
    assert growth.awaits(2)
    assert not growth.awaits(2)


def test_none_is_proposed_where_none_may_be() -> None:
    growth = LinkGrowth(ConnectionConfig(max_links=0))
    growth.wanted(HELD_BACK, 0.0)
    assert growth.wanted(HELD_BACK, 9.0) is None
