"""Mistakes of the person at the terminal."""


class UsageError(Exception):
    """The command was called the wrong way: reported in one line, exit code 2."""
