"""Why pictures are not restored, in the same words wherever a person is told."""

from __future__ import annotations

from collections.abc import Mapping

REASONS = {
    "rich": "splats enough in view",
    "whole": "hardly any holes",
    "unsure": "nothing surely missing",
    "budget": "frames take too long",
}
"""By the restorer's verdict."""


def told(counts: Mapping[str, int]) -> str:
    """How many pictures were left alone for each of ``REASONS``, to follow how many were not.

    Verdicts of other kinds play no part.
    """
    alone = [f"{counts[verdict]:,} ({why})" for verdict, why in REASONS.items() if counts.get(verdict)]
    return f"; left alone {', '.join(alone)}" if alone else ""
