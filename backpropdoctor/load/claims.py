"""What a backward pass claims: each gradient it returned, kept or applied, with what it is the gradient of."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..model import Tensor, Values
from ..tree import Leaf, get, is_leaf, is_number_list
from . import conventions, owners
from .pairing import fitted
from .plans import returned_names
from .subject import Kind, Run, Subject


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """A leaf, the gradient claimed for it and the user's name of that."""

    kind: Kind
    leaf: Leaf
    gradient: Any
    origin: str
    from_update: bool = False


@dataclass(slots=True)
class Claims:
    """All claims, what is claimed for nothing, parameters without a claim, and why nothing could be told apart."""

    found: list[Claim] = field(default_factory=list)
    surplus: list[str] = field(default_factory=list)
    missing: list[Leaf] = field(default_factory=list)
    ambiguous: str = ""

    def has(self, leaf: Leaf) -> bool:
        """Whether a gradient is claimed for the leaf."""
        return any(c.leaf is leaf for c in self.found)


def claims_of(subject: Subject, run: Run, values: Values | None = None) -> Claims:
    """Everything the backward pass of a run claims; `values` are the values the run was made at."""
    claims = Claims()
    candidates: list[tuple[Kind, Leaf]] = [("input", leaf) for leaf in subject.input_leaves]
    outside = subject.place.leaves if subject.place is not None else []
    candidates += [("parameter", leaf) for leaf in (*subject.owner_leaves, *outside)]
    pulled = run.pulled
    if isinstance(pulled, Mapping):
        _by_key(pulled, candidates, claims)
    elif pulled is not None and pulled is not run.owner:
        many = isinstance(pulled, (list, tuple)) and not is_number_list(pulled)
        _by_position(subject, list(pulled) if many else [pulled], candidates, claims)
    if run.owner is not None and not claims.ambiguous:
        _left_behind(subject, run, candidates, claims, values or {})
    _missed(subject, claims)
    order = {id(leaf): i for i, (_, leaf) in enumerate(candidates)}
    claims.found.sort(key=lambda claim: order[id(claim.leaf)])
    return claims


def _by_key(pulled: Mapping[Any, Any], candidates: Sequence[tuple[Kind, Leaf]], claims: Claims) -> None:
    used = set()
    for kind, leaf in candidates:
        scores = {k: conventions.is_gradient_of((k,), _word(leaf)) or 2 * (k == leaf.name) for k in pulled if k not in used}
        best = max(scores, key=lambda k: scores[k], default=None)
        if best is not None and scores[best]:
            used.add(best)
            claims.found.append(Claim(kind, leaf, pulled[best], f"grads[{best!r}]"))
    claims.surplus += [
        f"`grads[{k!r}]`" for k, v in pulled.items() if k not in used and is_leaf(v) and not conventions.is_loss_name(k)
    ]


def _word(leaf: Leaf) -> tuple[Any, ...]:
    """The last word of a leaf's name with its indices: ("W",), ("weights", 2)."""
    if "[" not in leaf.name and "." not in leaf.name:
        return (leaf.name,)
    parts = [p for p in leaf.parts if not (isinstance(p, int) and p == leaf.parts[0])]
    return tuple(parts) or (leaf.name,)


def _by_position(subject: Subject, items: list[Any], candidates: list[tuple[Kind, Leaf]], claims: Claims) -> None:
    """By the names in `return dx, dw, db` where they tell, by position else, and only where the shapes agree."""
    names = returned_names(subject.backward)
    names = names if names and len(names) == len(items) else None
    waiting: list[tuple[int, Any]] = []
    for i, item in enumerate(items):
        if item is None or isinstance(item, str):
            continue
        owner = _by_name(names[i], candidates, claims) if names else None
        if owner is None:
            waiting.append((i, item))
        else:
            assert names
            claims.found.append(Claim(*owner, item, names[i]))
    _rest(subject, waiting, len(items), names, candidates, claims)


def _by_name(name: str, candidates: list[tuple[Kind, Leaf]], claims: Claims) -> tuple[Kind, Leaf] | None:
    scored = [(conventions.is_gradient_of((name,), _word(leaf)), i) for i, (_, leaf) in enumerate(candidates)]
    best = max(scored, default=(0, 0))[0]
    fits = [candidates[i] for score, i in scored if score == best and best and not claims.has(candidates[i][1])]
    return fits[0] if len(fits) == 1 else None


def _rest(
    subject: Subject,
    waiting: list[tuple[int, Any]],
    count: int,
    names: Sequence[str] | None,
    candidates: list[tuple[Kind, Leaf]],
    claims: Claims,
) -> None:
    """Returned values that no name tells: the remaining arrays in their order."""
    wanted = {id(leaf) for _, leaf in subject.wanted()}
    fit = [(k, leaf) for k, leaf in candidates if id(leaf) in wanted or isinstance(leaf.value, (np.ndarray, list))]
    free = [(k, leaf) for k, leaf in fit if not claims.has(leaf)]
    inputs: list[tuple[Kind, Leaf]] = [(k, leaf) for k, leaf in free if k == "input"]
    real: list[tuple[Kind, Leaf]] = [(k, leaf) for k, leaf in inputs if np.asarray(leaf.value).dtype.kind == "f"]
    outside = [(k, leaf) for k, leaf in free if k == "parameter"]
    pools: list[list[tuple[Kind, Leaf]]] = [real, [*real, *outside], inputs, [*inputs, *outside]]
    pool = next((p for p in pools if len(p) == len(waiting)), None)
    pool = pool or next((p for p in pools if len(p) > len(waiting)), None)
    if pool is None:
        keep = max(pools, key=len)
        claims.surplus += [_origin(subject, i, count, names) for i, _ in waiting[len(keep) :]]
        waiting, pool = waiting[: len(keep)], keep
    in_order = all(fitted(g, leaf.value) is not None for (_, g), (_, leaf) in zip(waiting, pool, strict=False))
    if not in_order and len(waiting) > 1:
        matched = _by_shape(waiting, pool)
        if matched is not None:
            pool = matched
    for (i, item), (kind, leaf) in zip(waiting, pool, strict=False):
        claims.found.append(Claim(kind, leaf, item, _origin(subject, i, count, names).strip("`")))


def _by_shape(waiting: list[tuple[int, Any]], pool: list[tuple[Kind, Leaf]]) -> list[tuple[Kind, Leaf]] | None:
    """The one assignment in which every shape fits; None where there is none or more than one."""
    found = []
    for _, item in waiting:
        fits = [entry for entry in pool if fitted(item, entry[1].value) is not None]
        if len(fits) != 1 or fits[0] in found:
            return None
        found.append(fits[0])
    return found


def _origin(subject: Subject, i: int, count: int, names: Sequence[str] | None) -> str:
    if names and names[i]:
        return f"`{names[i]}`"
    return f"`{subject.backward_name}(…)`" if count == 1 else f"`{subject.backward_name}(…)[{i}]`"


def _left_behind(subject: Subject, run: Run, candidates: list[tuple[Kind, Leaf]], claims: Claims, values: Values) -> None:
    """Gradients in the attributes of the object, and those that show only in the update it made."""
    for kind, leaf in candidates:
        if claims.has(leaf) or not isinstance(leaf.value, (np.ndarray, list)):
            continue
        kept = owners.gradient_in(run.owner, leaf, leaf.parts if kind == "parameter" else _word(leaf), run.cleared)
        if kept is not None:
            claims.found.append(Claim(kind, leaf, np.array(kept[0]), kept[1]))
        elif kind == "parameter":
            change = _update(subject, run, leaf, values)
            if change is not None:
                claims.found.append(Claim(kind, leaf, change, f"the update of {leaf.name}", True))


def _update(subject: Subject, run: Run, leaf: Leaf, values: Values) -> np.ndarray | None:
    """(old - new) / rate for a parameter that the backward pass changed; None for one that it left."""
    old = np.asarray(values.get(subject.key("parameter", leaf), leaf.value))
    try:
        new = np.asarray(get(run.owner, leaf.paths[0]))
    except (KeyError, IndexError, AttributeError):
        return None
    if new.shape != old.shape or new.dtype.kind != "f" or np.array_equal(new, old):
        return None
    return (old - new) / (subject.rate or 1.0)


def _missed(subject: Subject, claims: Claims) -> None:
    """Parameters without a gradient: those passed as such, and those of an object that are named like one."""
    outside = subject.place.leaves if subject.place is not None else []
    for leaf in outside:
        if not claims.has(leaf):
            claims.missing.append(leaf)
    told = any(c.kind == "parameter" for c in claims.found)
    for leaf in subject.owner_leaves:
        if told and not claims.has(leaf) and owners.is_parameter_name(leaf) and np.ndim(leaf.value):
            claims.missing.append(leaf)


class LayerFunctions:
    """<v, outputs> and the gradients of a subject, as two methods that can be sent to other processes."""

    def __init__(self, subject: Subject, tensors: tuple[Tensor, ...]) -> None:
        self.subject = subject
        self.shapes: dict[Hashable, Any] = {t.key: t.value for t in tensors}

    def objective(self, values: Values) -> complex:
        """The sum of cotangent times output over all outputs."""
        return self.subject.objective(values)

    def gradients(self, values: Values) -> dict[Hashable, np.ndarray]:
        """What the backward pass claims at other values."""
        run = self.subject.run(values, pull=True)
        found: dict[Hashable, np.ndarray] = {}
        for claim in claims_of(self.subject, run, values).found:
            key = self.subject.key(claim.kind, claim.leaf)
            g = fitted(claim.gradient, self.shapes[key]) if key in self.shapes else None
            if g is not None:
                found[key] = np.asarray(g)
        return found
