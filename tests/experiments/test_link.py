"""One direction of a link on virtual time."""

import pytest

from exgs.experiments.errors import ExperimentError
from exgs.experiments.link import BurstLoss, EmulatedLink, LinkSettings
from exgs.experiments.rates import Rate

MBIT = LinkSettings(rate=Rate.constant(8.0), delay_s=0.02, overhead_bytes=0, queue_bytes=10_000)


def fill(link: EmulatedLink[int], packets: int, *, size: int = 1000, gap_s: float = 0.0) -> list[int]:
    """Offers packets one after the other; gives the numbers of those that arrive."""
    for number in range(packets):
        link.push(number, size, number * gap_s)
    return link.pop(float("inf"))


def test_packets_leave_at_the_rate_and_arrive_after_the_delay() -> None:
    link: EmulatedLink[int] = EmulatedLink(MBIT)
    for number in range(5):
        link.push(number, 1000, 0.0)
    times = []
    while (at_s := link.next_s()) is not None:
        times.append(at_s)
        assert link.pop(at_s - 1e-9) == []
        assert link.pop(at_s) == [len(times) - 1]
    assert times == pytest.approx([0.021, 0.022, 0.023, 0.024, 0.025])


def test_headers_weigh_too() -> None:
    link: EmulatedLink[int] = EmulatedLink(LinkSettings(rate=Rate.constant(8.0), overhead_bytes=28))
    link.push(0, 972, 0.0)
    assert link.next_s() == pytest.approx(0.001)


def test_the_queue_drops_what_does_not_fit() -> None:
    link: EmulatedLink[int] = EmulatedLink(MBIT)
    assert fill(link, 15) == list(range(10))
    assert link.counts.dropped == 5
    assert link.waiting_bytes(0.0) == 10_000
    assert link.waiting_bytes(0.0045) == 6_000
    link.push(99, 1000, 0.005)
    assert link.pop(1.0) == [99]


def test_an_unbounded_link_has_no_queue() -> None:
    link: EmulatedLink[int] = EmulatedLink(LinkSettings(delay_s=0.5, queue_bytes=1))
    assert fill(link, 100) == list(range(100))
    assert link.counts.dropped == 0


def test_losses_are_as_many_as_asked_and_the_same_each_time() -> None:
    settings = LinkSettings(loss=0.02, seed=5)
    arrived = fill(EmulatedLink(settings), 20_000)
    assert 0.017 < 1 - len(arrived) / 20_000 < 0.023
    assert arrived == fill(EmulatedLink(settings), 20_000)
    assert arrived != fill(EmulatedLink(LinkSettings(loss=0.02, seed=6)), 20_000)


def test_a_lost_packet_has_used_the_link() -> None:
    link: EmulatedLink[int] = EmulatedLink(LinkSettings(rate=Rate.constant(8.0), loss=1.0, overhead_bytes=0))
    link.push(0, 5000, 0.0)
    assert link.next_s() is None
    assert link.waiting_bytes(0.004) == 5000
    assert link.counts.lost == 1


def test_burst_losses_come_together() -> None:
    settings = LinkSettings(burst_loss=BurstLoss(enter=0.01, leave=0.25), seed=1)
    arrived = set(fill(EmulatedLink(settings), 20_000))
    lost = [number for number in range(20_000) if number not in arrived]
    bursts = sum(number - 1 not in lost for number in lost)
    assert 0.02 < len(lost) / 20_000 < 0.06
    assert 3 < len(lost) / bursts < 5


def test_jitter_delays_and_keeps_the_order() -> None:
    link: EmulatedLink[int] = EmulatedLink(LinkSettings(delay_s=0.01, jitter_s=0.02, seed=2))
    delays = []
    for number in range(200):
        link.push(number, 100, number * 0.1)
        at_s = link.next_s()
        assert at_s is not None
        delays.append(at_s - number * 0.1)
        assert link.pop(at_s) == [number]
    assert 0.01 <= min(delays) < 0.012
    assert 0.028 < max(delays) <= 0.03
    assert fill(EmulatedLink(LinkSettings(jitter_s=0.05)), 50, gap_s=0.001) == list(range(50))


def test_a_link_may_change_while_packets_are_under_way() -> None:
    link: EmulatedLink[int] = EmulatedLink(MBIT)
    link.push(0, 1000, 0.0)
    link.settings = LinkSettings(rate=Rate.constant(80.0), overhead_bytes=0)
    link.push(1, 1000, 0.0)
    assert link.pop(0.0215) == [0, 1]


@pytest.mark.parametrize(
    "wrong", [{"loss": 1.5}, {"delay_s": -1.0}, {"jitter_s": 1e9}, {"queue_bytes": 0}, {"loss": float("nan")}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ExperimentError):
        LinkSettings(**wrong)  # type: ignore[arg-type]


def test_chances_of_bursts_are_checked() -> None:
    with pytest.raises(ExperimentError):
        BurstLoss(enter=0.5, leave=0.0)
