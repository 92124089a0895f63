"""The place of a birth as something to edit: the record of its step, the names in scope, edits of the source."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..checks.nonfinite.birth import Birth
from ..checks.nonfinite.locate import Trace
from ..checks.nonfinite.place import Source, source_of, span
from ..checks.nonfinite.values import as_numbers


@dataclass(frozen=True, slots=True)
class Edit:
    """Text of the file `path` from (line, column) to (end_line, end_column), from 1 and in characters, becomes `after`."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    before: str
    after: str

    def apply(self, lines: list[str]) -> list[str]:
        """The lines of the file after the edit."""
        first, last = lines[self.line - 1], lines[self.end_line - 1]
        text = first[: self.column - 1] + self.after + last[self.end_column - 1 :]
        return [*lines[: self.line - 1], *text.split("\n"), *lines[self.end_line :]]


@dataclass(frozen=True, slots=True)
class Formula:
    """One remedy: its edits, what to call it, how it ranks (lower is better), and what must be said about it."""

    title: str
    edits: tuple[Edit, ...]
    rank: int
    caution: str = ""
    accuracy: Callable[[], float | None] | None = None  # largest error against a high-precision reference

    def apply(self) -> dict[str, str]:
        """The text of each file that is edited."""
        made: dict[str, list[str]] = {}
        for edit in sorted(self.edits, key=lambda e: (e.line, e.column), reverse=True):
            lines = made.get(edit.path) or Path(edit.path).read_text(encoding="utf-8").splitlines()
            made[edit.path] = edit.apply(lines)
        return {path: "\n".join(lines) + "\n" for path, lines in made.items()}


def edit_of(source: Source, node: ast.AST, after: str) -> Edit:
    """The edit that replaces a node by other text."""
    at = span(source, node)
    before = ast.get_source_segment("\n".join(source.lines), node) or ""
    return Edit(source.path, at.line, at.column, at.end_line, at.end_column, before, after)


def joined(edits: Iterable[Edit]) -> list[Edit]:
    """The same edits, those of one line as one: each line is shown once."""
    found: list[Edit] = []
    for edit in sorted(edits, key=lambda e: (e.path, e.line, e.column)):
        last = found[-1] if found else None
        place = (edit.path, edit.line, edit.line)
        if last is None or (last.path, last.line, last.end_line) != place or edit.line != edit.end_line:
            found.append(edit)
            continue
        between = Path(edit.path).read_text(encoding="utf-8").splitlines()[edit.line - 1][last.end_column - 1 : edit.column - 1]
        before, after = last.before + between + edit.before, last.after + between + edit.after
        found[-1] = Edit(edit.path, edit.line, last.column, edit.end_line, edit.end_column, before, after)
    return found


class Scene:
    """The record of the step of the birth, and what is in scope where an edit would stand."""

    def __init__(self, trace: Trace, birth: Birth) -> None:
        assert birth.span is not None
        found = source_of(birth.span.path)
        assert found is not None
        self.trace, self.birth, self.source = trace, birth, found
        self.node = self._node()

    def _node(self) -> ast.AST | None:
        span = self.birth.span
        assert span is not None
        text = "\n".join(self.source.lines)
        for node in ast.walk(self.source.tree):
            if not isinstance(node, ast.expr) or (node.lineno, node.end_lineno) != (span.line, span.end_line):
                continue
            if (ast.get_source_segment(text, node) or "") == self.birth.expression:
                return node
        return None

    def statement(self, node: ast.AST) -> ast.stmt:
        """The statement around a node."""
        while not isinstance(node, ast.stmt):
            node = self.source.parents[node]
        return node

    def function(self, node: ast.AST) -> ast.AST:
        """The function around a node, or the module."""
        found: ast.AST | None = node
        while found is not None and not isinstance(found, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found = self.source.parents.get(found)
        return found or self.source.tree

    def named(self, at: ast.AST, scope: int | None = None) -> Iterator[tuple[str, Any, int]]:
        """The recorded arrays that can be spelled in the function of `at`: their text, value and node.

        `scope` is the activation of that function; without it, that of the birth.
        """
        function = self.function(at)
        tape = self.trace.tape
        if scope is None and self.birth.node is not None:
            scope = tape.nodes[self.birth.node].scope
        local = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            local |= {a.arg for a in [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]}
        tops = _module_names(self.source.tree)
        seen: set[str] = set()
        for binding in reversed(tape.bindings):
            if binding.node is None or binding.name in seen or "…" in binding.name:
                continue
            root = str(binding.parts[0])
            here = binding.scope == scope and root in local
            if here or (root == "self" and "self" in local) or (root in tops and root in local):
                value = tape.nodes[binding.node].value
                if as_numbers(value) is not None:
                    seen.add(binding.name)
                    yield binding.name, value, binding.node

    def lines_after(self) -> list[int]:
        """The lines of the file that bound a non-finite array, in the order of the run."""
        tape, bad = self.trace.tape, self.trace.bad
        found = [
            b.site.statement_span.line
            for b in tape.bindings
            if b.node in bad and np.ndim(tape.nodes[b.node].value) and b.site.span.path == self.source.path
        ]
        return list(dict.fromkeys(found))[:12]

    def made(self, statement: ast.stmt) -> tuple[Any, int] | None:
        """The first non-finite value that a statement bound, and the activation in which it did."""
        for binding in self.trace.tape.bindings:
            if (
                binding.node in self.trace.bad
                and binding.site.statement_span.line == statement.lineno
                and np.ndim(self.trace.tape.nodes[binding.node].value)
            ):
                return self.trace.tape.nodes[binding.node].value, binding.scope
        return None


def _module_names(tree: ast.Module) -> set[str]:
    """The variables that statements of the module itself set."""
    found: set[str] = set()
    for node in tree.body:
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return found


def statement_at(source: Source, line: int) -> ast.stmt | None:
    found = [s for s in source.statements if s.lineno <= line <= (s.end_lineno or s.lineno) and not hasattr(s, "body")]
    return found[0] if found else None
