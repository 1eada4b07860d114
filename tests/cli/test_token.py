"""``exgs token``: what it prints admits, for as long as it says."""

import time

import pytest

from exgs.cli.main import run
from exgs.cli.network import TOKEN_VARIABLE
from exgs.server.tickets import admits


def test_it_admits_for_as_long_as_was_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "secret")
    now_s = time.time()
    assert run(["token", "--ttl", "30m"]) == 0
    printed = capsys.readouterr()
    token = printed.out.strip()
    assert admits("secret", token, now_s + 1790) and not admits("secret", token, now_s + 1900)
    assert "admits until" in printed.err and "secret" not in printed.out


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ((), "give the server's secret"),
        (("--token", "s", "--ttl", "9999d"), "at most 366d"),
        (("--token", "two words"), "the token must be"),
    ],
)
def test_mistakes_are_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], reason: str
) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    assert run(["token", *words]) == 2
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize("ttl", ["0", "-1", "1w", "soon", ""])
def test_a_time_that_is_none(capsys: pytest.CaptureFixture[str], ttl: str) -> None:
    with pytest.raises(SystemExit) as caught:
        run(["token", "--token", "s", "--ttl", ttl])
    assert caught.value.code == 2 and capsys.readouterr().err
