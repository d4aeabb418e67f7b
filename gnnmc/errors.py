"""What gnnmc stops at. Every message is one line: what was got, what is allowed, what to do."""


class GnnmcError(Exception):
    """Base of every error that gnnmc raises on purpose; its text is one printable line, whatever names it quotes."""

    def __init__(self, message: object = "") -> None:
        super().__init__("".join(_printable(letter) for letter in str(message)))


class InputError(GnnmcError, ValueError):
    """Wrong use or bad input; the command line exits with 2."""


class MissingDataError(InputError):
    """Raw files of a data set are neither on this machine nor to be had."""


class StoreError(GnnmcError):
    """A stored result cannot be written, or what was read is not what was written."""


def _printable(letter: str) -> str:
    """The letter; a space for a line break, an escape for what a terminal would obey or cannot show."""
    if letter.isprintable():
        return letter
    return " " if letter.isspace() else letter.encode("unicode_escape").decode()
