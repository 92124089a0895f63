"""The source around a watch: where a parameter is made and updated and its gradient computed; which names the block
uses."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Callable, Sequence
from functools import cached_property
from types import FrameType

from ...finding import Explanation, Finding, make_finding
from ...source import Span
from .evaluate import attempt
from .names import Parts, listing, nearest
from .parameters import Held
from .reasons import reasons
from .scene import What
from .statements import Source, Statement, match


class Surroundings:
    """The file and the `with` block that hold the watch."""

    def __init__(self, frame: FrameType | None) -> None:
        self.path = frame.f_code.co_filename if frame else ""
        self.line = frame.f_lineno if frame else 0

    @cached_property
    def source(self) -> Source | None:
        """The file, parsed; None where it cannot be read."""
        lines = linecache.getlines(self.path)
        try:
            return Source(self.path, "".join(lines)) if lines else None
        except (SyntaxError, ValueError):
            return None

    @cached_property
    def block(self) -> ast.With | None:
        """The innermost `with` statement that begins at the watch."""
        if self.source is None:
            return None
        blocks = [
            n for n in ast.walk(self.source.tree) if isinstance(n, ast.With) and n.lineno <= self.line <= n.body[0].lineno
        ]
        return max(blocks, key=lambda n: n.lineno, default=None)

    def mentions(self, names: Sequence[str]) -> bool | None:
        """Whether the block uses one of the names; None where the source is not known."""
        if self.block is None:
            return None
        return any(isinstance(n, ast.Name) and n.id in names for s in self.block.body for n in ast.walk(s))

    def place(
        self, parameters: dict[str, Parts], gradients: Callable[[], dict[str, Parts]]
    ) -> Callable[[str, What], Span | None]:
        """A function from a parameter and what happens to it to its place, or None where that is not certain."""

        def find(name: str, what: What) -> Span | None:
            if self.source is None:
                return None
            parts = gradients().get(name, ()) if what == "gradient" else parameters[name]
            if not parts:
                return None
            updates = self.source.updates
            others = [s for s in self.source.assignments if s not in updates]
            return self._best(updates if what == "update" else others, parts, first=what == "creation")

        return find

    def _best(self, statements: list[Statement], parts: Parts, first: bool) -> Span | None:
        assert self.source is not None
        ranked = [(match(s, parts), s) for s in statements]
        best = max((rank for rank, _ in ranked), default=0)
        found = [s for rank, s in ranked if rank == best and rank > 0]
        if not found or (best == 1 and len(found) > 1) or (len(found) > 1 and not first):
            near = [s for s in found if self._inside(s)]
            found = near if len(near) == 1 else []
        return self.source.span(found[0].node) if found else None

    def _inside(self, statement: Statement) -> bool:
        block = self.block
        return block is not None and block.lineno <= statement.line <= (block.end_lineno or 0)

    def because(self, held: Held) -> Callable[[list[str]], list[Finding]]:
        """A function that reads in the source and the frame's values why parameters never change."""

        def find(names: list[str]) -> list[Finding]:
            if self.source is None or held.frame is None:
                return []
            values = dict(held.frame.f_globals) | dict(held.frame.f_locals)
            function = held.frame.f_code
            rebound = {} if held.trust_names else held.rebound()
            return reasons(self.source, held.parts, names, values, function.co_firstlineno, rebound)

        return find

    def here(self) -> Span | None:
        """The place of the watch itself."""
        if self.source is None or self.block is None:
            return None
        return self.source.header_span(self.block)


def missing_key(error: KeyError) -> list[Finding]:
    """A finding for a KeyError that left the user's code: the key, the keys there are, and the nearest; else
    nothing."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or not error.args:
        return []
    key, frame, line = error.args[0], trace.tb_frame, trace.tb_lineno
    path = frame.f_code.co_filename
    try:
        source = Source(path, "".join(linecache.getlines(path)))
    except (SyntaxError, ValueError):
        return []
    values = {**frame.f_globals, **frame.f_locals}
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Subscript) or not node.lineno <= line <= (node.end_lineno or node.lineno):
            continue
        holder = attempt(node.value, values)
        if not isinstance(holder, dict) or not holder or key in holder or attempt(node.slice, values) != key:
            continue
        return [_key_finding(source.span(node), source.span(node.value).text, key, holder)]
    return []


def _key_finding(span: Span, name: str, key: object, holder: dict) -> Finding:
    meant = nearest(key, holder)  # type: ignore[arg-type]
    return make_finding(
        "BD309",
        f"`{name}[{key!r}]` does not exist: the keys are {listing(list(holder))}",
        span=span,
        measured="the program stops here with KeyError",
        explanations=(Explanation("the key is not in the dictionary", "verified"),),
        help=f"is `{name}[{meant!r}]` meant?" if meant is not None else f"store something under {key!r} first",
        evidence={"keys": [str(k) for k in holder], "nearest": None if meant is None else str(meant)},
    )
