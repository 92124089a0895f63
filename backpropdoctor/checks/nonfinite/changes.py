"""What a program changes from its own old values, the candidates for parameters: names in its source, values on a tape."""

from __future__ import annotations

import ast
from collections.abc import Collection, Hashable

import numpy as np

from ...tape.buffers import Augment
from ...tape.steps import Steps, Update
from ...tape.tape import Binding
from .place import source_of


def update_names(path: str) -> set[str]:
    """The names and attributes that some statement of the file changes from their own old value."""
    source = source_of(path)
    found: set[str] = set()
    for node in source.statements if source else []:
        for target in own_targets(node):
            while isinstance(target, ast.Subscript):
                target = target.value
            found |= (
                {target.id} if isinstance(target, ast.Name) else {target.attr} if isinstance(target, ast.Attribute) else set()
            )
    return found


def own_targets(node: ast.AST) -> list[ast.expr]:
    """The targets that a statement changes from their own old values."""
    if isinstance(node, ast.AugAssign):
        return [node.target]
    if not isinstance(node, ast.Assign):
        return []
    inside = {ast.unparse(n) for n in ast.walk(node.value) if isinstance(n, (ast.Name, ast.Attribute, ast.Subscript))}
    return [t for target in node.targets for t in getattr(target, "elts", [target]) if ast.unparse(t) in inside]


def changes_of(steps: Steps) -> list[Update]:
    """The updates on a tape, and what is none of them because nothing but the old value goes into it (`w -= 3 * w`)."""
    found = {(u.old, u.new): u for u in steps.updates}
    kept = {u.new for u in steps.updates}  # versions of what was there before the step
    names: dict[int, Binding] = {}
    previous: dict[Hashable, int] = {}
    for binding in steps.tape.bindings:
        new, old = binding.node, previous.pop(binding.place, None)
        if new is None:
            continue
        names.setdefault(new, binding)
        previous[binding.place] = new
        if old is not None and old != new and _lasts(steps, old, kept) and _changes(steps, old, binding):
            found.setdefault((old, new), Update(old, new, (), binding.site, binding))
            kept.add(new)
    for node in steps.tape.nodes:
        if node.kind == "write" and isinstance(node.op, Augment) and _lasts(steps, node.args[0].index, kept):
            old = node.args[0].index
            found.setdefault((old, node.index), Update(old, node.index, (), node.site, names.get(node.index)))
            kept.add(node.index)
    every = list(found.values())
    return _last(steps, _parameters(steps, every) or every)


def _last(steps: Steps, updates: list[Update]) -> list[Update]:
    """Those that no other one is a multiple of: a gradient that is summed up, or a velocity, is no step of its own."""
    canon = steps.replay.canonical
    taken = {canon[s.node] for u in updates for t in u.terms for s in steps.algebra.all_scalings(t.node)}
    sums = {canon[u.new] for u in updates if canon[u.new] in taken}
    before = {canon[u.new]: canon[u.old] for u in updates}
    for new in list(sums):
        while (old := before.get(new)) is not None and old not in sums:
            sums.add(old)
            new = old
    return [u for u in updates if canon[u.new] not in sums] or updates


def _parameters(steps: Steps, updates: list[Update]) -> list[Update]:
    """Those of values that were there before the step: no sum that the step begins at zero, as `dW` over time."""
    before = {u.new: u.old for u in updates}
    found = []
    for update in updates:
        first = update.old
        while first in before and before[first] != first:
            first = before[first]
        if _lasts(steps, first, ()):
            found.append(update)
    return found


def _lasts(steps: Steps, old: int, kept: Collection[int]) -> bool:
    """Whether a value was there before the step, or is a new version of one that was; what a call in the step made is not."""
    node = steps.tape.nodes[old]
    return old in kept or (node.kind == "leaf" and (node.site is None or not _is_call(node.site.node)))


def _is_call(node: ast.AST) -> bool:
    """Whether an array is made here: `np.zeros(3)`, `np.zeros_like(W)`."""
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name.removesuffix("_like") in ("zeros", "ones", "empty", "full")


def _changes(steps: Steps, old: int, binding: Binding) -> bool:
    """Whether a statement made a value from the one that its name had before."""
    nodes, new = steps.tape.nodes, binding.node
    if new is None or not own_targets(binding.site.statement) or np.shape(nodes[old].value) != np.shape(nodes[new].value):
        return False
    return steps.replay.canonical[old] in steps.replay.upstream([new])
