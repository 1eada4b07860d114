"""What can go wrong in an experiment."""


class ExperimentError(Exception):
    """The user's fault: a trace or a setting that cannot be used. Says where, what was expected and found."""
