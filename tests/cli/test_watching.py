"""Who gets a dashboard and who gets lines; and that a terminal is left as it was."""

import io
from contextlib import redirect_stderr

import pytest
from rich.console import Console
from rich.live import Live

from exgs.cli import watching
from exgs.cli.watching import Watch, listening
from exgs.client.progress import Milestone
from exgs.client.status import Status

SHOW_CURSOR, HIDE_CURSOR = "\x1b[?25h", "\x1b[?25l"


class Terminal(io.StringIO):
    """Standard error as a terminal has it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    return Terminal()


def play(terminal: io.StringIO, *, dashboard: bool = True) -> None:
    with redirect_stderr(terminal), listening(quiet=False, dashboard=dashboard) as listen:
        assert listen is not None
        listen(Milestone("connecting", None, "connecting to the server"))
        listen(Milestone("opened", 0.25, "connected"))
        listen(Status(1.0, scene="room", carrier="webrtc"))
        listen(Milestone("reconnecting", 2.0, "connection lost"))


def test_tries_to_come_back_leave_one_line_each_time(terminal: Terminal) -> None:
    kinds = ("reconnecting", "reconnecting", "reconnected", "reconnecting", "corrupt", "corrupt")
    with redirect_stderr(terminal), listening(quiet=False) as listen:
        assert listen is not None
        for number, kind in enumerate(kinds):
            listen(Milestone(kind, float(number), f"news {number}"))
    said = terminal.getvalue()
    assert [number for number in range(len(kinds)) if f"{number}.00 s  news {number}\n" in said] == [
        0,
        2,
        3,
        4,
        5,
    ]


def test_on_a_terminal_a_dashboard_that_goes_away(terminal: Terminal) -> None:
    play(terminal)
    said = terminal.getvalue()
    assert HIDE_CURSOR in said and "connected 0.25 s" in said and "room" in said
    assert said.rindex(SHOW_CURSOR) > said.rindex(HIDE_CURSOR)
    assert "   2.00 s  connection lost\n" in said, "what went wrong stays to be read"


def test_interrupted_it_leaves_the_terminal_as_it_was(terminal: Terminal) -> None:
    with pytest.raises(KeyboardInterrupt), redirect_stderr(terminal), listening(quiet=False) as listen:
        assert listen is not None
        listen(Status(1.0, scene="room"))
        raise KeyboardInterrupt
    said = terminal.getvalue()
    assert said.rindex(SHOW_CURSOR) > said.rindex(HIDE_CURSOR)


@pytest.mark.parametrize("how", ["dumb", "flag"])
def test_where_none_is_wanted_there_are_lines(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how == "dumb":
        monkeypatch.setenv("TERM", "dumb")
    play(terminal, dashboard=how != "flag")
    expected = ["connecting to the server", "   0.25 s  connected", "   2.00 s  connection lost"]
    assert terminal.getvalue().splitlines() == expected


def test_no_color_is_honoured(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    play(terminal)
    assert "\x1b[32m" not in terminal.getvalue() and "\x1b[36m" not in terminal.getvalue()


def test_into_a_pipe_go_lines_even_where_colours_are_forced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    pipe = io.StringIO()
    play(pipe)
    assert "connected" in pipe.getvalue() and "\x1b" not in pipe.getvalue()


def test_rates_are_kept_once_a_second_and_stages_when_first_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "KEPT_SECONDS", 3)
    console = Console(file=io.StringIO())
    with Live(console=console, auto_refresh=False) as live:
        watch = Watch(console, live)
        for quarter in range(20):
            watch.hear(Status(quarter / 4, goodput_bytes_per_s=quarter))
        watch.hear(Milestone("answered", 0.5, "answered"))
        watch.hear(Milestone("answered", 9.0, "answered again"))
    assert watch.glance.rates == (8.0, 12.0, 16.0)
    assert watch.glance.reached_s == {"answered": 0.5}
