"""What a script prints and what Python warns of, kept until it is known whether the script will run once more to its end.

Python tells a warning once for a line and forgets what it told whenever anybody touches the filters. So what is computed
about a script while it runs must neither warn nor make Python forget.
"""

from __future__ import annotations

import contextlib
import io
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

_SHOW = "_showwarnmsg"  # what Python calls for a warning that the filters let through


class HeldBack:
    """`release` tells whether what was held back is shown after all."""

    release = True


@contextlib.contextmanager
def held_back() -> Iterator[HeldBack]:
    """Keep what is printed and warned of inside; show it at the end, where `release` says so."""
    held = HeldBack()
    text = io.StringIO()
    said: list[warnings.WarningMessage] = []
    try:
        with contextlib.redirect_stdout(text), warnings.catch_warnings(record=True) as said:
            yield held
    finally:
        if held.release:
            sys.stdout.write(text.getvalue())
            sys.stdout.flush()
            for w in said:
                warnings.showwarning(w.message, w.category, w.filename, w.lineno, w.file, w.line)


@contextlib.contextmanager
def unheard() -> Iterator[None]:
    """No warning of what is computed inside is shown, and Python remembers which ones of the user's code it told."""
    version = _version()
    known = [r for r in list(_registries()) if r.get("version") == version]
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        version = _version()
        for registry in known:
            registry["version"] = version


def _registries() -> Iterator[dict[Any, Any]]:
    """Where Python keeps, for each module, which warnings it told."""
    for module in list(sys.modules.values()):
        registry = getattr(module, "__dict__", {}).get("__warningregistry__")
        if isinstance(registry, dict):
            yield registry


def _version() -> Any:
    """The number that Python's memory of warnings is valid for: every change of the filters makes it another.

    Python tells it only to a registry that it is about to note a warning in; that one is shown to nobody.
    """
    registry: dict[Any, Any] = {}
    shown = getattr(warnings, _SHOW, None)
    if shown is None:
        return None
    setattr(warnings, _SHOW, lambda message: None)
    try:
        with contextlib.suppress(UserWarning):  # where the filters make errors of warnings
            warnings.warn_explicit("", UserWarning, "", 0, registry=registry)
    finally:
        setattr(warnings, _SHOW, shown)
    return registry.get("version")
