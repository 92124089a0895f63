"""Update statements that never run, and what keeps them from it: an empty loop, a branch, a function nobody calls.

The syntax tree gives the candidates; a second run of the script with probes at their blocks decides. Code that runs
later (gradient accumulation, a warm-up) is reached by that run and is no finding; what time does not let us see is
none either.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import FrameType
from typing import Any, Literal

import numpy as np

from ...tape.run import Stop
from .evaluate import Unknown, attempt, count, spoken
from .rerun import Outcome, Place, Probe, place
from .statements import Source, Statement

Kind = Literal["loop", "branch", "function"]
Rerun = Callable[..., Outcome]

SETTLED = 3  # visits with the same values of everything a header reads: it will not come out otherwise
Block = tuple[str, ast.AST, str]  # path, node, branch


@dataclass(eq=False)
class Gate:
    """What the second run saw of one block: how often its header was reached and its branch entered, with which
    values."""

    path: str
    node: ast.AST
    branch: str
    visits: int = 0
    entered: int = 0
    said: str = ""
    empty: bool = False
    seen: set[str] = field(default_factory=set)
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        if isinstance(self.node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return "function"
        return "loop" if isinstance(self.node, (ast.For, ast.AsyncFor, ast.While)) else "branch"

    @property
    def settled(self) -> bool:
        """Whether more visits would show nothing new: all values that the header reads are known and stay the same."""
        return self.visits >= SETTLED and len(self.seen) == 1 and "?" not in next(iter(self.seen))

    def header(self) -> ast.expr | None:
        """The expression that decides whether the block is entered."""
        node = self.node
        if isinstance(node, (ast.For, ast.AsyncFor)):
            return node.iter
        return node.test if isinstance(node, (ast.While, ast.If)) else None

    def visit(self, frame: FrameType) -> None:
        """The header is about to be evaluated."""
        self.visits += 1
        header = self.header()
        if header is None or self.visits > 1000:
            return
        values = _Scope(frame)
        said = spoken(header, values)
        self.seen.add(_fingerprint(header, values))
        if self.visits == 1:
            self.said = said
            self.values = {**frame.f_globals, **frame.f_locals}
            self.empty = count(attempt(header, values)) == 0

    def enter(self, frame: FrameType) -> None:
        """The branch has been entered."""
        self.entered += 1


class _Scope(Mapping[str, Any]):
    """The names that a frame sees."""

    def __init__(self, frame: FrameType) -> None:
        self.local, self.outer = frame.f_locals, frame.f_globals

    def __getitem__(self, name: str) -> Any:
        return self.local[name] if name in self.local else self.outer[name]

    def __iter__(self) -> Any:
        return iter({**self.outer, **self.local})

    def __len__(self) -> int:
        return len({**self.outer, **self.local})

    def __contains__(self, name: object) -> bool:
        return name in self.local or name in self.outer


def _fingerprint(header: ast.expr, values: Mapping[str, Any]) -> str:
    """The value of every name in a header, as text; '?' where one is not plainly known or a call may have effects."""
    whole = attempt(header, values)
    if whole is Unknown:
        return "?"
    parts = []
    for node in ast.walk(header):
        if isinstance(node, ast.Name) and node.id in values:
            value = values[node.id]
            if isinstance(value, (int, float, str, bool, type(None))):
                parts.append(f"{node.id}={value!r}")
            elif isinstance(value, (list, tuple, dict, set)):
                parts.append(f"{node.id}:{len(value)}")
    length = count(whole)
    parts.append(repr(bool(whole)) if length is None else str(length))
    return ",".join(parts)


@dataclass(frozen=True, eq=False)
class Unreached:
    """A block that keeps update statements from running, the statements, and the proof in words."""

    gate: Gate
    statements: tuple[Statement, ...]
    source: Source
    proof: str


def find_unreached(candidates: Sequence[Statement], sources: Mapping[str, Source], rerun: Rerun) -> list[Unreached]:
    """What keeps the candidates from running, by block; those that do run in the end, or cannot be decided, are left
    out."""
    chains = {s: _chain(s, sources) for s in candidates}
    gates: dict[tuple[int, str], Gate] = {}
    for chain in chains.values():
        for path, node, branch in chain:
            gates.setdefault((id(node), branch), Gate(path, node, branch))
    reached: set[Statement] = set()

    def check(frame: FrameType) -> None:
        open_ = [s for s in candidates if s not in reached]
        if not open_ or all(_decided(chains[s], gates) for s in open_):
            raise Stop

    probes: dict[Place, Probe] = {}
    for gate in gates.values():
        _add(probes, place(gate.path, gate.node, gate.branch), gate.enter)
        if gate.kind != "function":
            _add(probes, place(gate.path, gate.node, "before"), gate.visit)
            _add(probes, place(gate.path, gate.node, "before"), check)
    for statement in candidates:
        _add(probes, place(statement.path, statement.node, "before"), _mark(reached, statement))
    outcome = rerun(probes=probes)
    return _blocked([s for s in candidates if s not in reached], chains, gates, sources, outcome)


def _mark(reached: set[Statement], statement: Statement) -> Probe:
    def mark(frame: FrameType) -> None:
        reached.add(statement)

    return mark


def _add(probes: dict[Place, Probe], where: Place, probe: Probe) -> None:
    before = probes.get(where)
    if before is None:
        probes[where] = probe
        return

    def both(frame: FrameType) -> None:
        before(frame)
        probe(frame)

    probes[where] = both


def _chain(statement: Statement, sources: Mapping[str, Source], depth: int = 4) -> tuple[Block, ...]:
    """The blocks around a statement and, where its function has one caller in the program, those around the call."""
    own: tuple[Block, ...] = tuple((statement.path, node, branch) for node, branch in statement.blocks if branch != "case")
    at = next((i for i in reversed(range(len(own))) if isinstance(own[i][1], (ast.FunctionDef, ast.AsyncFunctionDef))), None)
    if at is None or depth == 0:
        return own
    own = own[at:]
    calls = callers(own[0][1].name, sources)  # type: ignore[attr-defined]
    if len(calls) != 1:
        return own
    return (*_chain(calls[0], sources, depth - 1), *own)


def callers(name: str, sources: Mapping[str, Source]) -> list[Statement]:
    """The statements of the program that mention a function by name, as statements with their blocks."""
    rows = ((source, *row) for source in sources.values() for row in _mentioning(source.tree))
    return [
        Statement(source.path, node, ast.Name(""), ast.Constant(None), (), blocks)
        for source, blocks, node, names in rows
        if name in names
    ]


@lru_cache(maxsize=8)
def _mentioning(tree: ast.Module) -> list[tuple[tuple[Any, ...], ast.stmt, frozenset[str]]]:
    """The statements of a file with the blocks around them and the names that they read."""
    return [(blocks, node, frozenset(_names_read(node))) for blocks, node in _statements(tree.body, ())]


def _statements(body: Iterable[ast.stmt], blocks: tuple[tuple[ast.AST, str], ...]) -> Iterable[Any]:
    for node in body:
        yield blocks, node
        for name in ("body", "orelse", "finalbody"):
            held = getattr(node, name, None)
            if isinstance(held, list) and held and isinstance(held[0], ast.stmt):
                plain = isinstance(node, (ast.With, ast.AsyncWith, ast.Try, ast.ClassDef))
                yield from _statements(held, blocks if plain else (*blocks, (node, name)))
        for handler in getattr(node, "handlers", ()):
            yield from _statements(handler.body, blocks)
        for case in getattr(node, "cases", ()):
            yield from _statements(case.body, blocks)


def _names_read(node: ast.stmt) -> Iterator[str]:
    """The names that the statement itself (not the blocks in it) reads."""
    stack: list[ast.AST] = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, ast.stmt) and part is not node:
            continue
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
            yield part.id
        elif isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Load):
            yield part.attr
        stack.extend(ast.iter_child_nodes(part))


def _decided(chain: Sequence[Block], gates: Mapping[tuple[int, str], Gate]) -> bool:
    gate = _first_closed(chain, gates)
    return gate is not None and gate.settled


def _first_closed(chain: Sequence[Block], gates: Mapping[tuple[int, str], Gate]) -> Gate | None:
    """The outermost block that was never entered."""
    return next((g for _, node, branch in chain if (g := gates[id(node), branch]).entered == 0), None)


def _blocked(
    left: Sequence[Statement],
    chains: Mapping[Statement, tuple[Block, ...]],
    gates: Mapping[tuple[int, str], Gate],
    sources: Mapping[str, Source],
    outcome: Outcome,
) -> list[Unreached]:
    groups: dict[int, tuple[Gate, list[Statement]]] = {}
    for statement in left:
        gate = _first_closed(chains[statement], gates)
        if gate is not None and _proof(gate, sources, outcome):
            groups.setdefault(id(gate), (gate, []))[1].append(statement)
    return [
        Unreached(gate, tuple(statements), sources[gate.path], _proof(gate, sources, outcome))
        for gate, statements in groups.values()
    ]


def _proof(gate: Gate, sources: Mapping[str, Source], outcome: Outcome) -> str:
    if gate.kind == "function":
        name = gate.node.name  # type: ignore[attr-defined]
        if not callers(name, sources) and not name.startswith("__"):
            return "nothing in the program mentions it"
        return "it was not called until the script's end" if outcome.finished else ""
    if gate.visits and gate.settled:
        return f"the same {gate.visits} times in a row, with all values it reads unchanged"
    if outcome.finished and gate.visits:
        times = "once" if gate.visits == 1 else f"{gate.visits} times"
        return f"reached {times} until the script's end, and never entered"
    return ""


ENOUGH_VISITS = 1000  # of an update that changes nothing: more than any warm-up from zero has


def changes_later(statement: Statement, rerun: Rerun) -> bool:
    """Whether the target of an update changes while the script runs on; True where it cannot be seen for long
    enough."""
    first: dict[str, bytes] = {}
    state = {"visits": 0, "changed": False, "blind": False}

    def look(frame: FrameType) -> None:
        state["visits"] += 1
        target = copy.copy(statement.target)
        value = attempt(target, _Scope(frame))  # type: ignore[arg-type]
        if not isinstance(value, (np.ndarray, np.generic, float, int)):
            state["blind"] = True
            raise Stop
        key = ast.unparse(target) + repr(
            [attempt(n.slice, _Scope(frame)) for n in ast.walk(target) if isinstance(n, ast.Subscript)]
        )
        bits = np.asarray(value).tobytes()
        if first.setdefault(key, bits) != bits:
            state["changed"] = True
            raise Stop
        if state["visits"] >= ENOUGH_VISITS:
            raise Stop

    outcome = rerun(probes={place(statement.path, statement.node, "before"): look})
    if state["changed"] or state["blind"] or not state["visits"]:
        return True
    return not outcome.finished and state["visits"] < ENOUGH_VISITS
