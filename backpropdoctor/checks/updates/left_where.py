"""Where an update leaves a parameter out: the loop, the condition in it, the list it goes over, or the statements."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ...source import Span
from ...tape.steps import Update
from ...tape.tape import Scope
from .left_names import words_of
from .left_out import LeftOut, Search
from .names import last_word
from .statements import Source, match

What = Literal["loop", "condition", "list", "statement"]
Display = ast.List | ast.Tuple | ast.Set
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(slots=True)
class Place:
    """What leaves a parameter out: `node` of `source`; the `loop` and the update `statement` in it, as far as known."""

    what: What
    source: Source
    node: ast.AST
    statement: ast.stmt
    loop: ast.For | ast.While | None = None
    updates: list[Update] = field(default_factory=list)

    @property
    def span(self) -> Span:
        """The loop's or the condition's first line, or the list or the statement."""
        if self.what in ("loop", "condition"):
            return self.source.header_span(self.node)
        return self.source.span(self.node)

    @property
    def key(self) -> tuple[str, int, int]:
        """The same for all parameters that one place leaves out."""
        return self.source.path, self.span.line, self.span.column


class Where:
    """The places of a search's parameters."""

    def __init__(self, search: Search, sources: Mapping[str, Source]) -> None:
        self.search, self.sources = search, sources
        self.tape = search.recorded.tape
        self.parents: dict[str, dict[ast.AST, ast.AST]] = {path: _parents(s.tree) for path, s in sources.items()}

    def place(self, left: LeftOut) -> Place | None:
        """The place that leaves one parameter out; None where no update of a sibling stands in the user's files."""
        places = [p for u in self._siblings(left) if (p := self._climb(u, left)) is not None]
        if not places:
            return None
        place = min(places, key=lambda p: (p.loop is None, p.what == "statement"))
        if place.loop is None:
            place = self._nearest(left) or place
        else:
            place = self._condition(place) or place
        return place if place.what == "condition" else self._listed(place, left) or place

    def _siblings(self, left: LeftOut) -> list[Update]:
        """The updates of the siblings, in the order of the program."""
        roots = {i for i, held in self.search.parameters.items() if any(held is s for s in left.siblings)}
        return [u for u in self.search.updates if self.search.root_of[self.search.canon[u.new]] in roots]

    # ---- loops

    def _climb(self, update: Update, left: LeftOut) -> Place | None:
        """The loop over parameters around an update, or around the call that makes it; else the statement itself."""
        scope: Scope | None = self.tape.scopes.get(self.search.nodes[update.new].scope)
        site, first = update.site, True
        found: Place | None = None
        while site is not None:
            source = self.sources.get(site.span.path)
            statement = self._statement(source, site.statement) if source is not None else None
            if source is None or statement is None:
                break
            loop = self._loop(source, statement)
            found = Place("loop" if loop else "statement", source, loop or statement, statement, loop, [update])
            if loop is not None or not (self._is_shared(site.id) or (first and self._would_match(source, statement, left))):
                return found
            site, first = (scope.call if scope is not None else None), False
            scope = self.tape.scopes.get(scope.parent) if scope is not None and scope.parent is not None else None
        return found

    def _is_shared(self, site: int) -> bool:
        """Whether one statement updates several parameters."""
        return len({self.search.root_of[self.search.canon[u.new]] for u in self._at(site)}) > 1

    def _at(self, site: int) -> list[Update]:
        return [u for u in self.search.updates if u.site is not None and u.site.id == site]

    def _would_match(self, source: Source, statement: ast.stmt, left: LeftOut) -> bool:
        """Whether an update would change the parameter too, if it was run for it: `self.W` of another object."""
        return any(s.node is statement and match(s, b.parts) == 2 for s in source.assignments for b in left.names)

    def _statement(self, source: Source, wanted: ast.stmt) -> ast.stmt | None:
        places = (wanted.lineno, wanted.col_offset)
        return next((n for n in ast.walk(source.tree) if isinstance(n, ast.stmt) and (n.lineno, n.col_offset) == places), None)

    def _loop(self, source: Source, statement: ast.stmt) -> ast.For | ast.While | None:
        """The innermost loop around a statement whose turning variable goes into it."""
        node: ast.AST | None = statement
        while node is not None and not isinstance(node, _FUNCTIONS):
            if isinstance(node, (ast.For, ast.While)) and turning(node) & _names(_target(statement)):
                return node
            node = self.parents[source.path].get(node)
        return None

    def _condition(self, place: Place) -> Place | None:
        """The `if` in a loop that passes over a round: around the update, or with a `continue` or `break`."""
        if place.loop is None or not self._passes_over(place):
            return None
        turned = turning(place.loop)
        inside: ast.AST | None = place.statement
        while inside is not None and inside is not place.loop:
            if isinstance(inside, ast.If) and turned & _names(inside.test):
                return Place("condition", place.source, inside, place.statement, place.loop, place.updates)
            inside = self.parents[place.source.path].get(inside)
        for node in place.loop.body:
            if isinstance(node, ast.If) and turned & _names(node.test) and _leaves(node):
                return Place("condition", place.source, node, place.statement, place.loop, place.updates)
        return None

    def _passes_over(self, place: Place) -> bool:
        """Whether the loop turned more often than the update was made in it, or was left early."""
        loop = place.loop
        assert loop is not None
        if any(isinstance(n, ast.Break) for s in loop.body for n in ast.walk(s)):
            return True
        site = place.updates[0].site
        rounds = [i for i in self.tape.iterations if (i.site.span.path, i.site.span.line) == (place.source.path, loop.lineno)]
        return site is not None and len(rounds) > len({u.new for u in self._at(site.id)})

    # ---- straight statements and lists

    def _nearest(self, left: LeftOut) -> Place | None:
        """The update of the parameter that is most like it: `W2` for `b2`; else the last one."""
        found: list[tuple[int, int, Place]] = []
        own = {w for b in left.names for w in words_of(last_word(b.parts))}
        for update in self.search.updates:
            place = self._climb(update, left)
            if place is not None and place.loop is None:
                root = self.search.root_of[self.search.canon[update.new]]
                other = {w for b in self.search.recorded.bindings(root) for w in words_of(last_word(b.parts))}
                found.append((len(own & other), place.statement.lineno, place))
        ends = [w for b in left.names for w in words_of(last_word(b.parts))[-1:]]
        return max(found, key=lambda f: (self._ends_alike(f[2], ends), f[0], f[1]))[2] if found else None

    def _ends_alike(self, place: Place, ends: Sequence[str]) -> bool:
        root = self.search.root_of[self.search.canon[place.updates[0].new]]
        other = {w for b in self.search.recorded.bindings(root) for w in words_of(last_word(b.parts))[-1:]}
        return bool(other & set(ends))

    def _listed(self, place: Place, left: LeftOut) -> Place | None:
        """The list of parameters that an update goes over, where it names all others and not this one."""
        if place.loop is None:
            return None
        called = [{last_word(b.parts) for b in self.search.recorded.bindings(i)} for i in self.search.roots]
        own = {last_word(b.parts) for b in left.names}
        for source in dict.fromkeys([place.source, *self.sources.values()]):
            within = [place.loop] if source is place.source else []
            for tree in [*(n.iter for n in within if isinstance(n, ast.For)), source.tree]:
                found = [d for d in ast.walk(tree) if isinstance(d, Display) and _lists(d, called, own)]
                if found:
                    return Place("list", source, found[0], place.statement, place.loop, place.updates)
        return None


def _lists(display: Display, called: Sequence[Collection[str]], own: Collection[str]) -> bool:
    if not isinstance(getattr(display, "ctx", ast.Load()), ast.Load):
        return False
    words = [word_of(e) for e in display.elts]
    if len(words) < 2 or "" in words or set(words) & set(own) or len(words) > len(called):
        return False
    return all(set(names) & set(words) for names in called)


def word_of(node: ast.expr) -> str:
    """The last word of a name, an attribute, a key or a string."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return word_of(node.slice) if isinstance(node, ast.Subscript) else ""


def turning(loop: ast.For | ast.While) -> set[str]:
    """The names that are another thing in each round: the loop's own, and what is made of them in its body."""
    if isinstance(loop, ast.For):
        found = _names(loop.target)
    else:
        stepped = {n.target.id for n in ast.walk(loop) if isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name)}
        found = _names(loop.test) & stepped
    for statement in loop.body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Assign) and _names(node.value) & found:
                found |= {t.id for t in node.targets if isinstance(t, ast.Name)}
    return found


def _target(statement: ast.stmt) -> ast.AST:
    """What a statement changes: the target of an assignment, the call of a method."""
    if isinstance(statement, ast.AugAssign):
        return statement.target
    if isinstance(statement, ast.Assign):
        return ast.Tuple(statement.targets, ast.Load())
    return statement


def _leaves(node: ast.If) -> bool:
    return any(isinstance(n, (ast.Continue, ast.Break)) for n in node.body)


def _names(tree: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}


def _parents(tree: ast.AST) -> dict[ast.AST, ast.AST]:
    return {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


def loop_names(source: Source) -> set[str]:
    """The names that loops of a file turn."""
    return {w for n in ast.walk(source.tree) if isinstance(n, ast.For) for w in _names(n.target)}
