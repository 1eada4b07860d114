"""What can go wrong with a restorer."""

from __future__ import annotations


class PainterError(Exception):
    """Weights cannot be used, or what runs them is missing: what was expected, what was found, what helps."""
