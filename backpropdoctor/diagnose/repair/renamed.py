"""Statements that make nothing: they give a value another name, and an edit of them changes what is read under it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ...tape.replay import Replay
from .capture import Moment
from .edited import Edited, run_edited

ARGUMENT = "__argument__"  # stands for the name that a called function gives to what it gets


@dataclass(slots=True)
class Renamed:
    """A value that a statement passes on under another name, edited on the way; `readers` are the nodes that get it."""

    node: int
    position: int
    moment: Moment
    edited: Edited
    readers: frozenset[int]
    made: Any = None
    done: bool = False

    def value(self, value_of: Callable[[int], Any]) -> Any:
        """The edited value, made when it is first read. Raises Misfit."""
        if not self.done:
            self.made = run_edited(self.edited, self.moment, value_of)[self.position]
            self.done = True
        return self.made

    def is_read_by(self, edited: Edited) -> bool:
        """Whether a statement may read the value under the name it got: a variable's has to stand there."""
        name, _ = self.moment.outs[self.position]
        return not name.isidentifier() or name in ("__returned__", ARGUMENT) or name in _read(edited.statement)


@lru_cache(maxsize=2048)
def _read(statement: ast.stmt) -> set[str]:
    """The variables that a statement reads."""
    changed = {ast.unparse(statement.target)} if isinstance(statement, ast.AugAssign) else set()
    return changed | {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


@lru_cache(maxsize=2048)
def _texts(statement: ast.stmt) -> set[str]:
    """The variables, attributes and items that a statement reads, as text."""
    return {ast.unparse(n) for n in ast.walk(statement) if isinstance(n, (ast.Name, ast.Attribute, ast.Subscript))}


@lru_cache(maxsize=2048)
def _walked(statement: ast.stmt) -> set[str]:
    """The containers that a statement reads an element of which only the run knows: `inputs[j]`, `for x in inputs`."""
    found = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Constant):
            found.add(ast.unparse(node.value))
        elif isinstance(node, ast.comprehension):
            found |= {ast.unparse(n) for n in ast.walk(node.iter) if isinstance(n, (ast.Name, ast.Attribute, ast.Subscript))}
    return found


def renamed(replay: Replay, moment: Moment, edited: Edited, last: int) -> list[Renamed]:
    """A statement that only gives a value another name: who reads it under that name, up to the node `last`."""
    found = []
    for position, (reader, node) in enumerate(moment.outs):
        if reader == ARGUMENT:
            read = (i for i in replay.index.consumers.get(node, ()) if moment.at <= i < min(moment.until, last + 1))
            inside = frozenset(i for i in read if replay.tape.nodes[i].scope != moment.scope)
            found.append(Renamed(node, position, moment, edited, inside))
            continue
        handed = _handed_on(replay, node, reader, moment)
        names = [(reader, moment.until), *_looped_over(replay, node, reader, moment)]
        readers = frozenset(
            i
            for i in replay.index.consumers.get(node, ())
            if moment.until <= i <= last
            and (i >= handed or any(i >= at and _reads(replay, i, name, moment) for name, at in names))
        )
        found.append(Renamed(node, position, moment, edited, readers))
    return found


def _looped_over(replay: Replay, node: int, reader: str, moment: Moment) -> list[tuple[str, int]]:
    """The variables of loops over what holds a value under a name, `for d in (dW, db)`, and from where on they stand for it."""
    return [
        (b.name, b.at)
        for b in replay.index.names.get(node, ())
        if b.how == "loop" and b.at >= moment.until and b.site is not None and b.site.function == moment.function
        if isinstance(b.site.statement, ast.For) and reader in {ast.unparse(n) for n in ast.walk(b.site.statement.iter)}
    ]


def _handed_on(replay: Replay, node: int, reader: str, moment: Moment) -> float:
    """From where on a value is read by others, returned under a name by the function that gave it that; infinite for never."""
    found = [
        b.at
        for b in replay.index.names.get(node, ())
        if b.how == "return" and b.at >= moment.until and b.site.function == moment.function
        if isinstance(b.site.statement, ast.Return) and b.site.statement.value is not None
        if ast.unparse(b.site.statement.value) == reader
    ]
    return min(found, default=float("inf"))


def _reads(replay: Replay, index: int, reader: str, moment: Moment) -> bool:
    """Whether a node reads a value under a name, by itself or through the calls that led to it."""
    if reader.startswith("__returned__"):
        return True
    scopes, node = replay.tape.scopes, replay.tape.nodes[index]
    site, scope = node.site, scopes.get(node.scope)
    slot = re.search(r"(\.\w+|\[[^\[\]]*\])$", reader)
    if slot is not None and site is not None and node.scope == moment.scope:
        # beside it the object that the value came from is read too: `out.grad`
        return reader in _texts(site.statement) or reader[: slot.start()] in _walked(site.statement)
    for _ in range(4):
        if site is None:
            return False
        if slot is not None and any(t.endswith(slot.group()) for t in _texts(site.statement)):
            return True  # an attribute or item is read wherever its object goes
        if site.function == moment.function:
            return reader in _texts(site.statement)
        if scope is None:
            return False
        site, scope = scope.call, scopes.get(scope.parent) if scope.parent is not None else None
    return False
