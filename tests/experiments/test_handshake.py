from exgs.experiments.handshake import PEERING, SIGNALLING, Handshake
from exgs.protocol import Role


def walk(handshake: Handshake, *, lose: set[int] = frozenset()) -> float:
    """Carries flights 0.1 s each, losing the first sending of some; gives when it was done."""
    now_s, lost = 0.0, set(lose)
    leaving = handshake.begin(now_s)
    while not handshake.done:
        arriving = [packet for packet in leaving if packet[0] not in lost]
        gone = {packet[0] for packet in leaving} & lost
        lost -= gone
        if arriving:
            now_s += 0.1
            answers = (handshake.arrive(flight, piece, now_s) for flight, piece in arriving)
            leaving = [packet for answer in answers for packet in answer]
        else:
            due_s = handshake.next_s()
            assert due_s is not None, "somebody always asks again"
            now_s = max(now_s, due_s)
            leaving = handshake.repeat(now_s)
    return now_s


def test_each_flight_takes_its_time() -> None:
    assert round(walk(Handshake((*SIGNALLING, *PEERING))), 6) == 1.2


def test_every_lost_flight_is_repeated() -> None:
    flights = (*SIGNALLING, *PEERING)
    for index in range(len(flights)):
        assert 1.2 < walk(Handshake(flights), lose={index}) < 5


def test_the_server_is_up_half_a_round_trip_before_the_client() -> None:
    handshake = Handshake(PEERING)
    packets = handshake.begin(0.0)
    while packets[0][0] < len(PEERING) - 1:
        packets = [packet for flight, piece in packets for packet in handshake.arrive(flight, piece, 0.0)]
    assert handshake.is_up(Role.SERVER) and not handshake.is_up(Role.CLIENT)
    for flight, piece in packets:
        handshake.arrive(flight, piece, 0.0)
    assert handshake.is_up(Role.CLIENT) and handshake.done
