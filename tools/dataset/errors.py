"""What the commands tell instead of a traceback."""


class DatasetError(RuntimeError):
    """A step cannot go on; the message says what to do. Nothing is half-applied."""


class UsageError(DatasetError):
    """Options that do not go together, or a table that makes no sense: exit code 2."""
