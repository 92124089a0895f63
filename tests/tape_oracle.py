"""The oracle of a record: every operation, done again on the recorded values, gives the recorded value bit for bit."""

from __future__ import annotations

import dis
from pathlib import Path
from typing import Any

import numpy as np

from backpropdoctor.tape.buffers import apply_view, apply_write
from backpropdoctor.tape.run import RunResult, run_script
from backpropdoctor.tape.tape import Binding, Node, Ref, Site, Tape


class Everything:
    """A policy that records every iteration of every loop."""

    def begin(self, loop: Site, instance: int, iteration: int, tape: Tape) -> bool:
        return True

    def end(self, loop: Site, instance: int, iteration: int, tape: Tape) -> None:
        pass


def record(
    folder: Path,
    source: str,
    *,
    name: str = "snippet.py",
    policy: Any = None,
    whole: bool | None = True,
    **options: Any,
) -> RunResult:
    """Run `source` as a script with everything recorded."""
    path = folder / name
    path.write_text(source)
    result = run_script(path, policy=policy or Everything(), whole=whole, debug=True, **options)
    if result.exception is not None and not options.get("may_raise"):
        raise result.exception
    return result


def resolve(tape: Tape, tree: Any) -> Any:
    """An argument tree with the recorded values in it."""
    if isinstance(tree, Ref):
        return tape.nodes[tree.index].value
    if type(tree) in (list, tuple):
        return type(tree)(resolve(tape, t) for t in tree)
    if type(tree) is dict:
        return {k: resolve(tape, t) for k, t in tree.items()}
    if type(tree) is slice:
        return slice(resolve(tape, tree.start), resolve(tape, tree.stop), resolve(tape, tree.step))
    return tree


def evaluate(tape: Tape, node: Node) -> Any:
    """The value of a node, computed again."""
    args = resolve(tape, node.args)
    kwargs = resolve(tape, node.kwargs)
    if node.kind == "write":
        return apply_write(node.op, *args, **kwargs)
    if node.kind == "view":
        return apply_view(*args)
    assert node.op is not None
    return node.op(*args, **kwargs)


def identical(a: Any, b: Any) -> bool:
    """Bit for bit the same, containers element by element; `b` is the recorded one."""
    if isinstance(a, (np.ndarray, np.generic)) and isinstance(b, (np.ndarray, np.generic)):
        x, y = np.asarray(a), np.asarray(b)
        if x.dtype.hasobject:
            return x.shape == y.shape and repr(x) == repr(y)
        if x.dtype.char in "gG":  # long doubles have bytes that mean nothing
            return x.shape == y.shape and x.dtype == y.dtype and np.array_equal(x, y, equal_nan=True)
        return x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes()
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(identical(i, j) for i, j in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(identical(a[k], b[k]) for k in a)
    if isinstance(a, float) and isinstance(b, float):
        return np.float64(a).tobytes() == np.float64(b).tobytes()
    if isinstance(a, complex) and isinstance(b, complex):
        return identical(a.real, b.real) and identical(a.imag, b.imag)
    return bool(a == b)


def unfaithful(tape: Tape) -> list[str]:
    """The nodes that do not give their value again, described; empty if the record is right."""
    found = []
    for node in tape.nodes:
        assert all(i < node.index for i in node.inputs()), f"node {node.index} reads a later one"
        if node.kind in ("leaf", "random"):
            continue
        with np.errstate(all="ignore"):
            again = evaluate(tape, node)
        if not identical(again, node.value):
            text = node.site.span.text if node.site else "?"
            found.append(f"{node.index} {node.kind} `{text}`: {again!r} is not {node.value!r}")
    return found


def misnamed(result: RunResult) -> list[str]:
    """Global variables whose last binding does not hold their value; empty if the names are right."""
    last: dict[str, Binding] = {}
    place = id(result.namespace)
    for binding in result.tape.bindings:
        if binding.place == ("global", place, binding.name):
            last[binding.name] = binding
    found = []
    for name, binding in last.items():
        if binding.node is not None and name in result.namespace:
            value = result.tape.nodes[binding.node].value
            held = result.namespace[name]
            if (
                isinstance(held, np.ndarray)
                and held is not value
                and any(n.kind == "write" for n in result.tape.nodes[binding.at :])
            ):
                continue  # changed later under another name
            if not identical(held, value):
                found.append(f"{name}: {result.namespace[name]!r} is not {value!r}")
    return found


def node_named(result: RunResult, name: str, which: int = -1) -> Node:
    """The node that the last (or another) binding of this name holds."""
    held = [b.node for b in result.tape.bindings if b.name == name and b.node is not None]
    return result.tape.nodes[held[which]]


def depends(tape: Tape, node: Node, on: Node) -> bool:
    """Whether `node` reads `on`, directly or not."""
    seen: set[int] = set()
    stack = [node.index]
    while stack:
        i = stack.pop()
        if i == on.index:
            return True
        if i not in seen:
            seen.add(i)
            stack.extend(tape.nodes[i].inputs())
    return False


def instructions(code: Any) -> int:
    """How many instructions a code object has."""
    return sum(1 for _ in dis.get_instructions(code))
