"""One edit that may repair a statement."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...finding import Fix


@dataclass(frozen=True, slots=True)
class Candidate:
    """Replace the part `old` by the text `new`. `cost` orders candidates, the simplest first; `kind` names the mistake.

    `words` are what the message needs to say it. `redirect` stands for an edit that cannot be said in the statement
    itself: the nodes that it would have read in the place of others. `fix` is the edit where it is not `old` -> `new`.
    """

    cost: float
    old: ast.AST
    new: str
    kind: str
    words: dict[str, Any] = field(default_factory=dict)
    redirect: Mapping[int, int] = field(default_factory=dict)
    fixes: tuple[Fix, ...] | None = None
    statement: ast.stmt | None = None  # what runs instead, where it is not `old` replaced by `new`
