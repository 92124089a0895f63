"""Statements that look like updates (`W -= lr * dW`, `p["W"] = p["W"] - …`), and which parameter each would change.

Read from the syntax tree alone, so for code that never runs as well.
"""

from __future__ import annotations

import ast
import linecache
import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from ...source import Span, span_of
from .names import is_gradient_name, is_setting_name

Block = ast.FunctionDef | ast.AsyncFunctionDef | ast.For | ast.AsyncFor | ast.While | ast.If | ast.ExceptHandler


@dataclass(frozen=True, slots=True)
class Pattern:
    """A key that is only known when the program runs; `regex` is what it must match, None for anything."""

    regex: str | None = None

    def fits(self, key: Hashable) -> bool:
        """Whether the key can be this one."""
        return self.regex is None or re.fullmatch(self.regex, str(key)) is not None


@dataclass(frozen=True, slots=True)
class Statement:
    """One assignment: its target taken apart, its value, and the blocks around it, outermost first.

    A block is a node and, for those with an `else`, the branch ('body' or 'orelse') that holds the statement.
    """

    path: str
    node: ast.stmt
    target: ast.expr
    value: ast.expr
    parts: tuple[Hashable | Pattern, ...]
    blocks: tuple[tuple[ast.AST, str], ...]
    loop_names: frozenset[str] = frozenset()

    @property
    def line(self) -> int:
        return self.node.lineno

    @property
    def function(self) -> ast.AST | None:
        """The innermost function around it."""
        found = [b for b, _ in self.blocks if isinstance(b, (ast.FunctionDef, ast.AsyncFunctionDef))]
        return found[-1] if found else None


class Source:
    """One of the user's files: its text, tree, and statements."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.lines = text.splitlines()
        self.tree = ast.parse(text, path)
        self.assignments = list(_assignments(self.tree, path))
        self.updates = [s for s in self.assignments if is_update(s)]

    def span(self, node: ast.AST) -> Span:
        """The place of a node in the file."""
        return span_of(node, self.path, self.lines)

    def header(self, node: ast.AST) -> str:
        """A compound statement's first line as written, without the colon: `for i in range(n)`."""
        body = node.body[0]  # type: ignore[attr-defined]
        last = body.lineno - 1
        rows = self.lines[node.lineno - 1 : max(last, node.lineno)]  # type: ignore[attr-defined]
        text = " ".join(row.strip() for row in rows if not row.strip().startswith("#")).strip()
        end = _colon(text)
        return text[:end] if end else ast.unparse(node).splitlines()[0].rstrip(":")

    def header_span(self, node: ast.AST) -> Span:
        """The place of a compound statement's first line, up to its colon."""
        row = self.lines[node.lineno - 1]  # type: ignore[attr-defined]
        start = len(row) - len(row.lstrip())
        end = _colon(row[start:])
        stop = start + end if end else len(row.rstrip())
        return Span(self.path, node.lineno, start + 1, node.lineno, stop + 1)  # type: ignore[attr-defined]


def read_source(path: str) -> Source | None:
    """A user's file, parsed; None where it cannot be."""
    try:
        return Source(path, "".join(linecache.getlines(path)))
    except (SyntaxError, ValueError):
        return None


def _colon(text: str) -> int | None:
    """Where the colon that ends a compound statement's header stands; None where it is not on this line."""
    depth, quote, previous = 0, "", ""
    for i, c in enumerate(text):
        if quote:
            quote = "" if c == quote and previous != "\\" else quote
        elif c in "'\"":
            quote = c
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        elif c == "#":
            return None
        elif c == ":" and depth == 0 and text[i + 1 : i + 2] != "=":
            return i
        previous = c
    return None


def _assignments(tree: ast.Module, path: str) -> Iterator[Statement]:
    yield from _walk(tree.body, (), frozenset(), path)


def _walk(
    body: Sequence[ast.stmt], blocks: tuple[tuple[ast.AST, str], ...], loops: frozenset[str], path: str
) -> Iterator[Statement]:
    for node in body:
        for target, value in _pairs(node):
            yield Statement(path, node, target, value, tuple(parts_of(target)), blocks, loops)
        inner = loops
        if isinstance(node, (ast.For, ast.AsyncFor)):
            inner = loops | {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            inner = frozenset()
        for name in ("body", "orelse", "finalbody"):
            held = getattr(node, name, None)
            if isinstance(held, list) and held and isinstance(held[0], ast.stmt):
                around = (
                    blocks if isinstance(node, (ast.With, ast.AsyncWith, ast.Try, ast.ClassDef)) else (*blocks, (node, name))
                )
                yield from _walk(held, around, inner, path)
        for handler in getattr(node, "handlers", ()):
            yield from _walk(handler.body, (*blocks, (handler, "body")), inner, path)
        for case in getattr(node, "cases", ()):
            yield from _walk(case.body, (*blocks, (node, "case")), inner, path)


def _pairs(node: ast.stmt) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(node, ast.AugAssign) or (isinstance(node, ast.AnnAssign) and node.value is not None):
        yield node.target, node.value  # type: ignore[misc]
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, (ast.Tuple, ast.List)):
                values: Sequence[ast.expr] = [node.value] * len(target.elts)
                if isinstance(node.value, (ast.Tuple, ast.List)) and len(node.value.elts) == len(target.elts):
                    values = node.value.elts
                yield from zip(target.elts, values, strict=True)
            else:
                yield target, node.value
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        call = node.value
        out = next((k.value for k in call.keywords if k.arg == "out"), None)
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("subtract", "add") and out is not None:
            yield out, call
        elif isinstance(call.func, ast.Attribute) and call.func.attr in ("__isub__", "__iadd__") and call.args:
            yield call.func.value, call


def parts_of(target: ast.expr) -> list[Hashable | Pattern]:
    """A target taken apart: `self.W[l]` is ["self", "W", anything]; a slice or an element index is left out."""
    if isinstance(target, ast.Name):
        return [target.id]
    if isinstance(target, ast.Attribute):
        return [*parts_of(target.value), target.attr]
    if isinstance(target, ast.Starred):
        return parts_of(target.value)
    if isinstance(target, ast.Subscript):
        key = key_of(target.slice)
        return parts_of(target.value) + ([] if key is None else [key])
    return [Pattern()]


def key_of(node: ast.expr) -> Hashable | Pattern | None:
    """A subscript as a key or a pattern; None for slices and tuples, which pick elements of an array."""
    if isinstance(node, ast.Constant):
        return None if node.value is Ellipsis else node.value
    if isinstance(node, (ast.Slice, ast.Tuple)):
        return None
    regex = text_pattern(node)
    return Pattern(regex) if regex is not None else Pattern()


def text_pattern(node: ast.expr) -> str | None:
    """A regular expression for the strings an expression can make: 'W.*' for `"W" + str(i)`, f"W{i}" and "W%d" % i."""
    if isinstance(node, ast.Constant):
        return re.escape(node.value) if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(text_pattern(v) or "(.+)" if isinstance(v, ast.Constant) else "(.+)" for v in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = text_pattern(node.left), text_pattern(node.right)
        return None if left is None and right is None else (left or "(.+)") + (right or "(.+)")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant):
        return _percent(node.left.value)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        held = node.func.value
        if isinstance(held, ast.Constant) and isinstance(held.value, str):
            return re.sub(r"\\\{\w*\\\}", "(.+)", re.escape(held.value))
    return None


def _percent(text: object) -> str | None:
    return re.sub(r"%[ds]", "(.+)", re.escape(text).replace("\\%", "%")) if isinstance(text, str) else None


def is_update(statement: Statement) -> bool:
    """Whether a statement changes its target by something that a gradient or a learning rate goes into."""
    node, value = statement.node, statement.value
    if isinstance(node, ast.Expr):
        return True
    if isinstance(node, ast.AugAssign):
        return isinstance(node.op, (ast.Add, ast.Sub)) and _moves(value)
    if not isinstance(value, ast.BinOp) or not isinstance(value.op, (ast.Add, ast.Sub)):
        return False
    target = _plain(statement.target)
    sums = [_plain(v) for v in _summands(value)]
    if target in sums:
        return _moves(value)
    return _renamed(statement.target, value) and _moves(value)


def _renamed(target: ast.expr, value: ast.BinOp) -> bool:
    """`new_W = W - lr * dW`: the first operand is not the target, but the rest is a step along a gradient."""
    words = {_word(n) for n in ast.walk(value.right)}
    return isinstance(value.op, ast.Sub) and any(map(is_gradient_name, words)) and any(map(is_setting_name, words))


def _summands(value: ast.expr) -> Iterator[ast.expr]:
    if isinstance(value, ast.BinOp) and isinstance(value.op, (ast.Add, ast.Sub)):
        yield from _summands(value.left)
        yield from _summands(value.right)
    else:
        yield value


def _plain(node: ast.expr) -> str:
    return re.sub(r"\s", "", ast.unparse(node))


def _moves(value: ast.expr) -> bool:
    words = {_word(n) for n in ast.walk(value)}
    return any(is_gradient_name(w) or is_setting_name(w) for w in words) or any(
        isinstance(n, ast.Call) and _word(n.func) in ("dot", "matmul", "outer") for n in ast.walk(value)
    )


def _word(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return ""


def match(statement: Statement, parts: Sequence[Hashable], aliases: Sequence[str] = ()) -> int:
    """How well a statement's target fits a parameter: 2 by a name or key, 1 where everything fits, 0 not at all."""
    if isinstance(statement.target, ast.Name):
        if statement.target.id in aliases or statement.target.id == parts[-1]:
            return 2
        return 1 if statement.target.id in statement.loop_names else 0
    return max(_match(statement.parts, parts), _match(statement.parts[:-1], parts))


def _match(pattern: Sequence[Hashable | Pattern], parts: Sequence[Hashable]) -> int:
    if not pattern:
        return 0
    best = 1
    for want, have in zip(reversed(pattern), reversed(parts), strict=False):
        if isinstance(want, Pattern):
            if not want.fits(have):
                return 0
            best = max(best, 2 if want.regex else 1)
        elif want == have:
            best = 2
        elif isinstance(have, str) and isinstance(want, str) and len(parts) > 1 and have == parts[0]:
            continue  # the container goes by another name inside a function
        else:
            return 0
    return best
