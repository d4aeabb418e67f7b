"""What gnnmc stops at. Every message is one line: what was got, what is allowed, what to do."""


class GnnmcError(Exception):
    """Base of every error that gnnmc raises on purpose."""


class InputError(GnnmcError, ValueError):
    """Wrong use or bad input; the command line exits with 2."""


class MissingDataError(InputError):
    """Raw files of a data set are neither on this machine nor to be had."""


class StoreError(GnnmcError):
    """A stored result cannot be written, or what was read is not what was written."""
