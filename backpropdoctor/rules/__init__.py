"""The rules: one file a code. The table, the site, `explain` and SARIF all derive from the files of this folder.

A file `bd102_scaled_gradient.py` holds `RULE = Rule("BD102", "scaled-gradient", "error", __doc__)`; its docstring is the
page. A code is never reused.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from functools import cache

from ..rule import Rule

_FILE = re.compile(r"(bd\d{3})_\w+")


@cache
def names() -> dict[str, str]:
    """Every code with the module that holds it, sorted, without importing the modules."""
    found = (m.name for m in pkgutil.iter_modules(__path__))
    return {name[:5].upper(): name for name in sorted(found) if _FILE.fullmatch(name)}


@cache
def get(code: str) -> Rule:
    """The rule of a code such as 'BD102'; raises KeyError for an unknown one."""
    module = importlib.import_module(f"{__name__}.{names()[code.upper()]}")
    rule: Rule = module.RULE
    return rule
