"""What a command ends with when it cannot go on."""


class UsageError(Exception):
    """The command was called the wrong way: reported in one line, exit code 2."""


class CommandError(Exception):
    """The work failed on a file that the command was given: reported in one line, exit code 1."""
