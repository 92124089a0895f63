"""Right values that are put where another one belongs: edits of the index at which a statement puts them.

Such an edit makes no value another one, so that nothing can be worked out: the edited program is run for each of the few.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ...finding import Explanation
from ..blame import Blame, Root
from ..causes import cause_of
from .candidates_indices import shifted
from .expression import Text
from .repairs import Repair

_KIND = "wrong-index"


def placed(blame: Blame, root: Root) -> Iterator[Repair]:
    """The neighbouring places for what a statement only puts somewhere; none for what it makes itself."""
    statement, made = root.site.statement, blame.nodes[root.node].site
    target = statement.targets[0] if isinstance(statement, ast.Assign) and len(statement.targets) == 1 else None
    if not isinstance(target, ast.Subscript) or made is None or made.statement is statement:
        return
    text = Text(statement, root.span.path)
    was = text.of(target.slice)
    for now in shifted(target.slice, was):
        cause = cause_of(_KIND, {"was": was, "now": now, "put": True}, ast.unparse(target.value), was, now)
        yield Repair(
            code=cause.code,
            kind=_KIND,
            message=cause.message,
            label=cause.label,
            mark=text.span(target.slice),
            statement=text.span(statement),
            advice=cause.advice,
            fixes=(text.fix(target.slice, now),),
            explanations=(Explanation(f"{cause.message}: `{was}` -> `{now}`", "verified"),),
            right=frozenset(root.affects),
            status="verified",
            evidence={"mistake": _KIND, "cost": 1.0, "right": sorted(root.affects)},
        )
