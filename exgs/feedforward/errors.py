"""What can go wrong between pictures and Gaussians."""

from __future__ import annotations


class FeedforwardError(Exception):
    """Views or weights cannot be used, or what runs them is missing: what was expected, found, and helps."""
