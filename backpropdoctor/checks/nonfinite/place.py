"""From a running frame to the expression it is evaluating: positions of the instruction, node of the syntax tree."""

from __future__ import annotations

import ast
import linecache
import sysconfig
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice
from pathlib import Path
from types import CodeType, FrameType

from ...source import Span, span_of

_PACKAGE = str(Path(__file__).resolve().parents[2])


@dataclass(frozen=True, slots=True)
class Source:
    """The syntax tree of a file, its lines, and its nodes by position and by line."""

    path: str
    lines: list[str]
    tree: ast.Module
    by_position: dict[tuple[int, int, int, int], ast.AST]
    statements: list[ast.stmt]
    parents: dict[ast.AST, ast.AST]


@lru_cache(maxsize=64)
def _parse(path: str, text: str) -> Source | None:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return None
    by_position: dict[tuple[int, int, int, int], ast.AST] = {}
    statements: list[ast.stmt] = []
    parents: dict[ast.AST, ast.AST] = {}
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            parents[child] = node
        if isinstance(node, ast.stmt):
            statements.append(node)
        if isinstance(node, (ast.expr, ast.stmt)):
            # an expression wins over the statement that consists of it
            by_position[node.lineno, node.end_lineno or 0, node.col_offset, node.end_col_offset or 0] = node
    return Source(path, text.splitlines(), tree, by_position, statements, parents)


def source_of(path: str) -> Source | None:
    """The parsed file (or notebook cell) `path`, or None where no source can be had."""
    text = "".join(linecache.getlines(path))
    return _parse(path, text) if text else None


@cache
def _library_roots() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    return tuple({paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")})


@cache
def is_user_file(path: str) -> bool:
    """True for the user's own files and notebook cells; False for installed packages, the standard library and this package."""
    if path.startswith("<") and not path.startswith(("<ipython", "<stdin", "<string", "<doctor")):
        return False
    if "site-packages" in path or "dist-packages" in path or path.startswith(_PACKAGE):
        return False
    return not path.startswith(_library_roots())


def user_frame(frame: FrameType | None) -> FrameType | None:
    """The innermost frame, from `frame` outwards, that runs the user's own code."""
    while frame is not None and not is_user_file(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def node_at(code: CodeType, instruction: int) -> tuple[Source, ast.AST] | None:
    """The syntax node whose evaluation is the instruction at byte offset `instruction`, with its source."""
    source = source_of(code.co_filename)
    if source is None:
        return None
    position = next(islice(code.co_positions(), instruction // 2, None), None)
    if position is None or None in position:
        return None
    line, end_line, column, end_column = position
    node = source.by_position.get((line, end_line, column, end_column))  # type: ignore[arg-type]
    return None if node is None else (source, node)


def span(source: Source, node: ast.AST) -> Span:
    """The span of `node`, columns in characters."""
    return span_of(node, source.path, source.lines)


def statement_of(source: Source, node: ast.AST) -> ast.stmt | None:
    """The innermost statement that holds `node`."""
    found: ast.AST | None = node
    while found is not None and not isinstance(found, ast.stmt):
        found = source.parents.get(found)
    return found


def statement_on(source: Source, line: int) -> ast.stmt | None:
    """The simple statement, or the head of a compound one, that the line belongs to."""
    best: ast.stmt | None = None
    for node in source.statements:
        end = node.end_lineno or node.lineno
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and not isinstance(node, ast.Expr):
            end = max(node.lineno, body[0].lineno - 1)
        if node.lineno <= line <= end and (best is None or node.lineno >= best.lineno):
            best = node
    return best
