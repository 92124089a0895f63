"""What can go wrong outside the user's mathematics: one exception class per audience."""

from __future__ import annotations


class BackpropDoctorError(Exception):
    """Base of every exception this package raises on purpose."""


class UsageError(BackpropDoctorError):
    """The call itself is wrong (no such file, a bad option, a syntax error in the target): exit status 2."""


class InputError(BackpropDoctorError, ValueError):
    """The user's functions or arrays cannot be checked as they are; the message names the culprit.

    `code` is the code of the rule that describes the problem, or None.
    """

    def __init__(self, message: str, *, code: str | None = None, help: str | None = None) -> None:  # noqa: A002
        super().__init__(message)
        self.code = code
        self.help = help


class ReplayError(BackpropDoctorError):
    """A recorded operation cannot be evaluated again on other values."""


def one_line(error: BaseException) -> str:
    """`ValueError: shapes (2,3) and (4,5) not aligned`, cut to one line."""
    text = " ".join(str(error).split())
    text = text if len(text) <= 200 else text[:199] + "…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
