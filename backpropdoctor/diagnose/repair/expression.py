"""Source text of a statement and of its parts; a part replaced, as text and as a syntax tree."""

from __future__ import annotations

import ast
import copy
import linecache
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from ...finding import Fix
from ...source import Span, span_of

_ATOMS = (ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.Constant, ast.List, ast.Tuple, ast.Dict)


@dataclass(frozen=True, slots=True)
class Part:
    """An expression inside a statement: the node, its value where it can be read alone, and where it stands."""

    node: ast.expr
    parent: ast.AST
    in_index: bool = False
    is_function: bool = False
    stored: bool = False


def parts_of(statement: ast.stmt) -> Iterator[Part]:
    """Every expression of a statement that is read, outermost first; of what is stored to, only the indices."""
    stack: list[tuple[ast.AST, ast.AST, bool, bool]] = [(statement, statement, False, False)]
    while stack:
        node, parent, in_index, is_function = stack.pop()
        if isinstance(node, ast.expr):
            stored = isinstance(getattr(node, "ctx", None), ast.Store)
            if not isinstance(node, (ast.Starred, ast.Slice, ast.Tuple)) or not stored:
                yield Part(node, parent, in_index, is_function, stored)
        children = []
        for name, child in ast.iter_fields(node):
            for item in child if isinstance(child, list) else [child]:
                if isinstance(item, (ast.expr, ast.comprehension, ast.keyword)):
                    children.append((item, node, in_index or name == "slice", name == "func"))
        stack.extend(reversed(children))


def bound_names(statement: ast.stmt) -> set[str]:
    """The variables of the comprehensions in a statement."""
    return {
        n.id
        for c in ast.walk(statement)
        if isinstance(c, ast.comprehension)
        for n in ast.walk(c.target)
        if isinstance(n, ast.Name)
    }


class Text:
    """The source text of one statement."""

    def __init__(self, statement: ast.stmt, path: str) -> None:
        self.statement = statement
        self.path = path
        self.lines = [line.rstrip("\r\n") for line in linecache.getlines(path)]

    def span(self, node: ast.AST) -> Span:
        """Where a part stands, in characters."""
        return span_of(node, self.path, self.lines)

    def of(self, node: ast.AST) -> str:
        """The text of a part as it stands in the file."""
        span = self.span(node)
        rows = self.lines[span.line - 1 : span.end_line]
        if len(rows) == 1:
            return rows[0][span.column - 1 : span.end_column - 1]
        return "\n".join([rows[0][span.column - 1 :], *rows[1:-1], rows[-1][: span.end_column - 1]])

    def wrapped(self, node: ast.expr) -> str:
        """The text of a part in a form that can stand beside any operator."""
        text = self.of(node)
        return text if isinstance(node, _ATOMS) else f"({text})"

    def replaced(self, old: ast.AST, new: str) -> tuple[ast.stmt, str] | None:
        """The statement with the part `old` replaced by the text `new` (put in brackets where it must be), and that text."""
        if isinstance(old, ast.stmt):
            try:
                return ast.parse(new).body[0], new
            except SyntaxError:
                return None
        try:
            fresh = ast.parse(new, mode="eval").body
        except SyntaxError:
            return None
        made = self._grafted(old, fresh)
        alone = self._stands_alone(old, fresh) or self._in_brackets(old)
        return made, new if alone else f"({new})"

    @cached_property
    def _parents(self) -> dict[int, tuple[ast.AST, str, int | None]]:
        """For each part of the statement what holds it: the node, the field, the place in a list."""
        found: dict[int, tuple[ast.AST, str, int | None]] = {}
        for parent in ast.walk(self.statement):
            for name, value in ast.iter_fields(parent):
                if isinstance(value, ast.AST):
                    found[id(value)] = (parent, name, None)
                elif isinstance(value, list):
                    found.update((id(v), (parent, name, k)) for k, v in enumerate(value) if isinstance(v, ast.AST))
        return found

    def _grafted(self, old: ast.AST, fresh: ast.AST) -> ast.stmt:
        """The statement with `fresh` in the place of `old`; what is not on the way to it is shared."""
        made, node = fresh, old
        while node is not self.statement:
            parent, name, at = self._parents[id(node)]
            grown = copy.copy(parent)
            if at is None:
                setattr(grown, name, made)
            else:
                items = list(getattr(parent, name))
                items[at] = made
                setattr(grown, name, items)
            made, node = grown, parent
        assert isinstance(made, ast.stmt)
        return made

    def _stands_alone(self, old: ast.AST, new: ast.expr) -> bool:
        """Whether the new expression needs no brackets where the old one stands."""
        if isinstance(new, _ATOMS):
            return True
        parent = self._parents.get(id(old), (None,))[0]
        if isinstance(parent, (ast.stmt, ast.keyword, ast.Tuple, ast.List, ast.Dict)):
            return True
        if isinstance(parent, ast.Call):
            return parent.func is not old
        return isinstance(parent, ast.Subscript) and parent.slice is old

    def _in_brackets(self, node: ast.AST) -> bool:
        """Whether the part stands in brackets of its own already."""
        span = self.span(node)
        before, after = (
            self.lines[span.line - 1][: span.column - 1].rstrip(),
            self.lines[span.end_line - 1][span.end_column - 1 :],
        )
        return before.endswith("(") and after.lstrip().startswith(")") and not re.search(r"[\w\])]\s*\($", before)

    def fix(self, old: ast.AST, new: str) -> Fix:
        """The edit as data."""
        span = self.span(old)
        return Fix(
            line=span.line,
            before=self.of(old),
            after=new,
            path=self.path,
            column=span.column,
            end_line=span.end_line,
            end_column=span.end_column,
        )
