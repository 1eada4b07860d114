"""Why pictures are not restored, as it is told."""

from typing import get_args

from exgs.cli.left_alone import REASONS, told
from exgs.painter import Verdict


def test_every_verdict_that_leaves_a_picture_alone_has_its_words() -> None:
    assert set(REASONS) == set(get_args(Verdict)) - {"restored", "off"}


def test_only_reasons_that_there_were_are_told() -> None:
    assert told({"restored": 7, "rich": 0, "off": 3}) == ""
    assert (
        told({"budget": 1200, "whole": 2})
        == "; left alone 2 (hardly any holes), 1,200 (frames take too long)"
    )
