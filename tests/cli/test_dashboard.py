"""The dashboard as text: what it says, and that it fits whatever the terminal is."""

import io
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from exgs.cli.dashboard import HOLDS, Dashboard, Glance, lines, mbit
from exgs.client.levels import LevelShare
from exgs.client.status import LinkShare, Status

STATUS = Status(
    4.0,
    scene="room",
    carrier="webrtc",
    bytes_received=300_000,
    bytes_expected=1_200_000,
    goodput_bytes_per_s=250_000,
    limiter="link",
    rtt_ms=23.04,
    jitter_ms=1.25,
    loss=0.021,
    links=2,
    connections=(LinkShare(0, 5, 0.0), LinkShare(1, 100, 125_000.0), LinkShare(2, 100, 125_000.0)),
    levels=(LevelShare(0, 12, 96, 1234, 75_000), LevelShare(1, 8, 8, 0, 9000)),
    decode_waiting_bytes=40_000,
    splats=1234,
    splats_visible=600,
    splats_resident=5000,
    splats_budget=9000,
    frames_shown=120,
    frames_late=3,
    frames_dropped=1,
    frame_ms_p50=12.3,
    frame_ms_p95=18.2,
)
GLANCE = Glance(
    STATUS,
    "first frame shown",
    {"answered": 0.03, "opened": 0.21, "first_chunk": 0.3},
    (0.0, 125_000, 250_000),
)


def text(glance: Glance, width: int = 120, height: int = 30, *, ascii_only: bool = False) -> list[str]:
    return [row.plain for row in lines(glance, width, height, ascii_only=ascii_only)]


def labelled(glance: Glance, label: str) -> str:
    return next(row for row in text(glance) if row.startswith(label))


def test_what_a_wide_terminal_shows() -> None:
    rows = text(GLANCE)
    assert rows[0] == "room  open over webrtc, 2 more for the scene"
    assert rows[1] == "answered 0.03 s › connected 0.21 s › first chunk 0.30 s › first frame › complete"
    received = labelled(GLANCE, "received")
    assert received.count("━") == 10 and received.count("─") == 30
    assert received.endswith(" 25 %  300.00 kB of 1.20 MB · 40.00 kB to decode")
    assert labelled(GLANCE, "rate").endswith("2.0 Mbit/s · the link is the limit")
    assert "▁▅█ " in labelled(GLANCE, "rate")
    assert labelled(GLANCE, "network") == "network  round trip 23.0 ms · jitter 1.2 ms · loss 2.1 %"
    assert labelled(GLANCE, "links") == "links    0: 0.0 Mbit/s · 1: 1.0 Mbit/s · 2: 1.0 Mbit/s"
    assert labelled(GLANCE, "splats") == "splats   1,234 drawn · 600 in view · 5,000 of at most 9,000 held"
    frames = "frames   12.3 ms median · 18.2 ms p95 · 120 shown · 3 late · 1 dropped"
    assert labelled(GLANCE, "frames") == frames


def test_what_is_restored_has_a_row_where_anything_is() -> None:
    assert not any(row.startswith("restored") for row in text(GLANCE))
    restoring = replace(STATUS, restorer="tiny on cpu", restoration="restored", frames_restored=118)
    assert labelled(Glance(restoring), "restored") == "restored 118 of 120 by tiny on cpu"
    busy = replace(restoring, restoration="budget")
    assert labelled(Glance(busy), "restored").endswith("tiny on cpu · not now: frames take too long")
    whole = replace(restoring, restoration="whole")
    assert labelled(Glance(whole), "restored").endswith("tiny on cpu · not now: hardly any holes")


def test_stages_have_the_times_at_which_they_happened() -> None:
    measured = Glance(replace(STATUS, first_chunk_s=0.28, first_frame_s=0.31), "", GLANCE.reached_s)
    assert "first chunk 0.28 s › first frame 0.31 s › complete" in text(measured)[1]


def test_levels_stand_coarsest_first_with_their_numbers_aligned() -> None:
    coarse, fine = (row for row in text(GLANCE) if row.startswith("level"))
    assert coarse.startswith("level 1") and coarse.endswith(" 8 of  8 chunks")
    assert fine.startswith("level 0") and fine.endswith("12 of 96 chunks · 1,234 splats shown")
    assert coarse.count("━") == 40 and fine.count("━") == 5


def test_a_bar_is_full_only_when_all_is_there() -> None:
    almost = replace(STATUS, bytes_received=1_199_999)
    assert "─" in labelled(Glance(almost), "received")


@pytest.mark.parametrize("limiter", ["link", "cpu", "cap", "budget", "silence", "complete"])
def test_the_limiter_is_named(limiter: str) -> None:
    assert HOLDS[limiter] in labelled(Glance(replace(STATUS, limiter=limiter)), "rate")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"state": "reconnecting", "links": 0}, "room  reconnecting  not yet: nobody answers"),
        ({"state": "lost"}, "room  lost  not yet: nobody answers"),
        ({"state": "silent", "carrier": "websocket", "links": 0}, "room  silent over websocket"),
        ({"reconnects": 1}, "room  open over webrtc, 2 more for the scene, made again once"),
        ({"reconnects": 3, "links": 0}, "room  open over webrtc, made again 3 times"),
    ],
)
def test_the_state_of_the_connection(changes: dict[str, object], says: str) -> None:
    glance = Glance(replace(STATUS, **changes), "not yet: nobody answers")  # type: ignore[arg-type]
    assert text(glance)[0] == says


def test_what_is_not_known_or_not_there_is_not_made_up() -> None:
    bare = Glance(Status(0.0, scene="room", carrier="websocket"))
    assert "not measured yet" in labelled(bare, "network")
    assert not any(row.startswith("links") for row in text(bare))
    assert "chunks corrupt" not in labelled(bare, "received")
    assert "2 chunks corrupt" in labelled(Glance(replace(STATUS, chunks_corrupt=2)), "received")


def test_before_the_scene_is_open_there_is_what_happens() -> None:
    glance = Glance(None, "the server prepares the scene: 40 %", {"answered": 0.03})
    first, second = text(glance)
    assert first == "the server prepares the scene: 40 %"
    assert second.startswith("answered 0.03 s › connected › ")


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("width", [1, 12, 20, 40, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int, ascii_only: bool) -> None:
    rows = text(GLANCE, width, ascii_only=ascii_only)
    assert len(rows) == len(text(GLANCE))
    assert max(cell_len(row) for row in rows) <= width
    assert not ascii_only or all(row.isascii() for row in rows)


@pytest.mark.parametrize("height", range(1, 13))
def test_a_low_terminal_shows_what_matters_most(height: int) -> None:
    rows = text(GLANCE, 80, height)
    assert len(rows) == min(height, 11)
    assert rows[0].startswith("room")
    if height >= 4:
        assert [row[:8] for row in rows if row][1:4] == ["answered", "received", "rate    "]


def test_on_a_console_it_takes_no_more_than_the_screen() -> None:
    stream = io.StringIO()
    Console(file=stream, width=50, height=6, force_terminal=True, color_system=None).print(Dashboard(GLANCE))
    printed = stream.getvalue().splitlines()
    assert len(printed) == 5 and all(cell_len(row) <= 50 for row in printed)


def test_markup_in_names_is_only_text() -> None:
    assert text(Glance(replace(STATUS, scene="[red]x[/red]")))[0].startswith("[red]x[/red]  open")


@pytest.mark.parametrize(
    ("rate", "says"), [(0, "0.0 Mbit/s"), (2.5e6, "20.0 Mbit/s"), (2.5e8, "2.00 Gbit/s")]
)
def test_rates_for_people(rate: float, says: str) -> None:
    assert mbit(rate) == says
