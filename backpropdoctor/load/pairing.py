"""Which gradient belongs to which parameter: by place, by name, by shape, and never by a guess."""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..finding import Finding, make_finding
from ..tree import Leaf, Path, Step, as_array, attributes, children, get, is_leaf, is_object, path_name
from . import conventions

_MISSING = object()


@dataclass(slots=True)
class Pairing:
    """For each paired leaf path the user's gradient and its name; what is left over on either side."""

    found: dict[Path, tuple[Any, str]] = field(default_factory=dict)
    missing: dict[Path, str] = field(default_factory=dict)  # -> the nearest unused name, or ''
    surplus: list[str] = field(default_factory=list)
    ambiguous: str = ""  # a sentence, where the pairing cannot be decided
    own: bool = False  # the gradients stand among the parameters


def pair(params: Any, leaves: list[Leaf], grads: Any, root: str = "grads", *, own: bool = False) -> Pairing:
    """Pair the leaves of `params` with what the user's gradient function returned.

    `own` says that `grads` is the structure of the parameters itself: only names of gradients count in it.
    """
    pairing = Pairing(own=own)
    if isinstance(params, Mapping) and isinstance(grads, (list, tuple)) and not is_leaf(grads):
        _by_order(leaves, grads, root, pairing)
    else:
        _node(params, (), grads, root, {leaf.paths[0] for leaf in leaves}, pairing)
    for leaf in leaves:
        if leaf.paths[0] not in pairing.found:
            pairing.missing.setdefault(leaf.paths[0], "")
    _nearest(leaves, pairing)
    return pairing


def _node(p: Any, path: Path, g: Any, name: str, wanted: set[Path], out: Pairing) -> None:
    if is_leaf(p):
        if path in wanted and g is not None and not (out.own and same_value(p, g)):
            out.found[path] = (g, name)
        return
    steps = [(step, child) for step, child in children(p) if _holds((*path, step), wanted)]
    if isinstance(g, (list, tuple)) and not hasattr(g, "_fields") and isinstance(p, (list, tuple)):
        for (step, child), item in zip(steps, g, strict=False):
            _node(child, (*path, step), item, f"{name}[{_index(step)}]", wanted, out)
        out.surplus += [f"{name}[{i}]" for i in range(len(steps), len(g))]
        return
    if isinstance(g, np.ndarray) and isinstance(p, (list, tuple)) and len(g) == len(steps) and g.ndim:
        for (step, child), item in zip(steps, g, strict=True):
            _node(child, (*path, step), item, f"{name}[{_index(step)}]", wanted, out)
        return
    _named(steps, path, g, name, wanted, out)


def same_value(a: Any, b: Any) -> bool:
    """Whether two values are the same object, or the same bits."""
    if a is b:
        return True
    x, y = np.asarray(a), np.asarray(b)
    return x.dtype == y.dtype and x.shape == y.shape and x.dtype.kind != "O" and x.tobytes() == y.tobytes()


def _index(step: Step) -> Hashable:
    return step.key


def _holds(path: Path, wanted: set[Path]) -> bool:
    return any(w[: len(path)] == path for w in wanted)


def _named(steps: list[tuple[Step, Any]], path: Path, g: Any, name: str, wanted: set[Path], out: Pairing) -> None:
    offered = _offers(g)
    used: set[Hashable] = set()
    same_keys = {step.key for step, _ in steps} == set(offered)
    for step, child in steps:
        key = _key_for(step.key, offered, prefer_same=same_keys and not out.own, or_same=not out.own or not is_leaf(child))
        if key is _MISSING:
            continue
        used.add(key)
        _node(child, (*path, step), offered[key], _call(name, g, key), wanted, out)
    if isinstance(g, Mapping) and not out.own:
        out.surplus += [_call(name, g, k) for k, v in offered.items() if k not in used and _looks_meant(k, v)]


def _looks_meant(key: Hashable, value: Any) -> bool:
    """True for an entry that somebody put there as a gradient; losses and caches stand in such dictionaries too."""
    if not isinstance(value, np.ndarray) and not is_leaf(value):
        return False
    return not (isinstance(key, str) and conventions.is_loss_name(key))


def _offers(g: Any) -> dict[Hashable, Any]:
    if isinstance(g, Mapping):
        return dict(g)
    if is_object(g):
        return dict(attributes(g))
    if isinstance(g, tuple) and hasattr(g, "_fields"):
        return dict(zip(g._fields, g, strict=True))
    return {}


def _call(name: str, g: Any, key: Hashable) -> str:
    return f"{name}[{key!r}]" if isinstance(g, Mapping) else f"{name}.{key}"


def _key_for(key: Hashable, offered: Mapping[Hashable, Any], *, prefer_same: bool, or_same: bool) -> Any:
    """The entry that is the gradient of `key`: `dW1` for `W1`, or (where `or_same`) `W1` itself."""
    if prefer_same or (or_same and not isinstance(key, str)):
        return key if key in offered else _MISSING
    if not isinstance(key, str):
        return _MISSING
    scores = {k: conventions.is_gradient_of((k,), (key,)) for k in offered if isinstance(k, str)}
    best = max(scores.values(), default=0)
    if best:
        candidates = [k for k, score in scores.items() if score == best]
        for spelled in conventions.spelled_gradients(key):
            if spelled in candidates:
                return spelled
        return candidates[0] if len(candidates) == 1 else _MISSING
    return key if or_same and key in offered else _MISSING


def _by_order(leaves: list[Leaf], grads: Any, root: str, out: Pairing) -> None:
    """A dict of parameters with a tuple of gradients: only the shapes can say which belongs to which."""
    items = [(i, g) for i, g in enumerate(grads) if g is not None]
    if len(items) != len(leaves):
        out.ambiguous = f"the gradient function returned {len(items)} values for {len(leaves)} parameters"
        return
    for leaf in leaves:
        shape = np.shape(leaf.value)
        fits = [(i, g) for i, g in items if _shape(g) == shape]
        if len(fits) != 1:
            order = "the order of the dict" if fits else "any order"
            out.ambiguous = (
                f"{len(fits)} of the {len(items)} returned gradients have the shape {shape} of `{leaf.name}`, and "
                f"nothing says that they come in {order}"
            )
            out.found.clear()
            return
        out.found[leaf.paths[0]] = (fits[0][1], f"{root}[{fits[0][0]}]")


def _shape(value: Any) -> tuple[int, ...] | None:
    try:
        return np.shape(value)
    except ValueError:
        return None


def _nearest(leaves: list[Leaf], out: Pairing) -> None:
    names = {path_name(path): path for path in out.missing}
    for name, path in names.items():
        last = str(path[-1].key) if path else name
        words = {s: s.split("[")[-1].strip("]'\"").split(".")[-1] for s in out.surplus}
        close = difflib.get_close_matches(f"d{last}", words.values(), 1, 0.5) or difflib.get_close_matches(
            last, words.values(), 1, 0.5
        )
        out.missing[path] = next((s for s, w in words.items() if close and w == close[0]), "")


def findings_of(pairing: Pairing, leaves: list[Leaf], source: str) -> list[Finding]:
    """Missing and surplus entries as findings, a misspelt one once; undeclared leaves are not missed."""
    found, claimed = [], set()
    by_path = {leaf.paths[0]: leaf for leaf in leaves}
    for path, near in pairing.missing.items():
        leaf = by_path[path]
        if not leaf.declared:
            continue
        claimed.add(near)
        words = f"; the nearest name without a parameter is `{near}`" if near else ""
        advice = (
            f"rename `{near}`, or return a gradient for `{leaf.name}`" if near else f"return a gradient for `{leaf.name}` too"
        )
        found.append(
            make_finding("BD405", f"{source} gives no gradient for `{leaf.name}`{words}", tensors=(leaf.name,), help=advice)
        )
    for name in pairing.surplus:
        if name not in claimed:
            near = _suggest(name, leaves)
            words = f"; the nearest parameter is `{near}`" if near else ""
            found.append(
                make_finding(
                    "BD406",
                    f"{source} gives `{name}`, which belongs to no parameter{words}",
                    help=("pass that parameter too, or leave the gradient out"),
                    evidence={"key": name},
                )
            )
    return found


def _suggest(name: str, leaves: list[Leaf]) -> str:
    word = name.split("[")[-1].strip("]'\"").split(".")[-1]
    close = difflib.get_close_matches(word, [leaf.name for leaf in leaves], 1, 0.5)
    return close[0] if close else ""


def fitted(gradient: Any, value: Any) -> np.ndarray | None:
    """The gradient as an array of the parameter's shape; None where the shapes say different things.

    (3,) for (1, 3) is the same numbers and updates them rightly; () for (1, 3) and (3,) for (3, 1) do not.
    """
    try:
        g, shape = np.asarray(gradient), np.shape(value)
    except ValueError:
        return None
    if g.shape == shape:
        return g
    try:
        same = np.broadcast_shapes(g.shape, shape) == shape and g.size == as_array(value).size
    except ValueError:
        return None
    return g.reshape(shape) if same else None


__all__ = ["Pairing", "findings_of", "fitted", "get", "pair"]
