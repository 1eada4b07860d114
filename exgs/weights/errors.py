"""What can go wrong with weights."""

from __future__ import annotations


class WeightsError(Exception):
    """Weights are not there, or not whole: what was expected, what was found, what helps."""
