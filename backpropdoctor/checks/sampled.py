"""Random draws on the way to the loss: what depends on a value only by chance has no derivative to be held against."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..tape.algebra import Algebra
from ..tape.tape import Node
from ..tape.training import Held, Training

_COMPARISONS = ("lt", "le", "gt", "ge", "less", "less_equal", "greater", "greater_equal")


def drawn_between(training: Training, held: Held) -> Node | None:
    """A draw that depends on a parameter and that the loss depends on: `rng.random(n) < p`, `rng.binomial(1, p)`."""
    assert training.loss is not None
    replay = training.replay
    live = replay.downstream(held.tensor.nodes)
    for i in sorted(training.loss.nodes):
        node = replay.tape.nodes[i]
        if node.name in _COMPARISONS:
            inputs = replay.inputs(i)
            if live.intersection(inputs) and any(replay.tape.nodes[j].kind == "random" for j in inputs):
                return node
        elif node.kind == "random" and _arguments(training, node) & live:
            return node
    return None


def noise_of(training: Training, held: Held) -> Node | None:
    """A draw that an update adds to its gradient: Langevin dynamics moves by noise besides, and means to."""
    algebra = Algebra(training.replay)
    for claimed in held.claim.terms:
        terms = [t for c in claimed for t in algebra.terms(c.node, c.factor)]
        bottoms = [algebra.all_scalings(t.node)[-1].node for t in terms]
        drawn = [training.replay.tape.nodes[i] for i in bottoms if training.replay.tape.nodes[i].kind == "random"]
        if drawn and len(drawn) < len(terms):
            return drawn[0]
    return None


def _arguments(training: Training, node: Node) -> set[int]:
    """The values that a draw took as arguments, by the names they had."""
    call = node.site.node if node.site else None
    if not isinstance(call, ast.Call):
        return set()
    texts = {ast.unparse(a) for a in _read(call) if isinstance(a, (ast.Name, ast.Attribute, ast.Subscript))}
    found: dict[str, int] = {}
    for b in training.replay.index.bindings_until(node.index):
        if b.name in texts and b.node is not None:
            found[b.name] = training.replay.canonical[b.node]
    return set(found.values())


def _read(tree: ast.AST) -> Iterator[ast.AST]:
    """The parts of an expression whose values it reads: not what it takes the shape or the length of."""
    if isinstance(tree, ast.Attribute) and tree.attr in ("shape", "size", "ndim", "dtype"):
        return
    if isinstance(tree, ast.Call) and ast.unparse(tree.func) in ("len", "np.shape", "np.size"):
        return
    yield tree
    for child in ast.iter_child_nodes(tree):
        yield from _read(child)
