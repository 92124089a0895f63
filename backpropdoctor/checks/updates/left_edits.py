"""Edits that let a parameter have its step: a loop's header, a list, a statement more; each tried in a copy that runs."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np

from ...finding import Fix
from ...source import Span
from ...tape.run import Stop
from .history import same_bits
from .left_out import LeftOut
from .left_where import Place, word_of
from .mend import apply_edits
from .names import last_word
from .rerun import Outcome
from .rerun import place as probe_place

Edits = tuple[tuple[Span, str], ...]
Rerun = Callable[..., Outcome]
Path = tuple[tuple[str, Any], ...]
_DEEP = 5
_MOST_SEEN = 5000  # values that are looked through in one frame
_ALIASES = 3  # names under which one container is looked into
_LOOKS = frozenset(2**k for k in range(1, 10))  # the rounds of a run in which the values are looked at again
_NUMBERED = re.compile(r"[A-Za-z_]+\d+")
_TURNED = 1e-9  # how far a step may be from a multiple of the gradient, relative to it
_ROUNDOFF = 1e-14  # and in all: what a sum with a parameter of size 1 loses, some units in the last place


# ---- the edits


def edits_of(place: Place, left: Sequence[LeftOut]) -> Iterator[Edits]:
    """What may be written in a place's stead, the simplest first."""
    if place.what == "list":
        yield from _longer_lists(place, left[0])
    elif place.what == "loop" and isinstance(place.node, ast.For):
        yield from (((place.source.span(node), text),) for node, text in _headers(place.node.iter))
    if place.what in ("statement", "loop"):
        yield from _more_statements(place, left)


def _headers(iterated: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    """A loop over more: without a slice, or with a range that begins or ends one further."""
    for node in ast.walk(iterated):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            yield node, ast.unparse(node.value)
    for node in ast.walk(iterated):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range"):
            continue
        if 1 <= len(node.args) <= 2:
            end = node.args[-1]
            yield end, _one_more(end)
        if len(node.args) == 2:
            yield node.args[0], _one_less(node.args[0])
        if len(node.args) == 3:  # downwards, as a rule
            yield node.args[0], _one_more(node.args[0])
            yield node.args[1], _one_less(node.args[1])


def _one_more(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return str(node.value + 1)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and _is_one(node.right):
        return ast.unparse(node.left)
    return f"{ast.unparse(node)} + 1"


def _one_less(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return str(node.value - 1)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and _is_one(node.right):
        return ast.unparse(node.left)
    return f"{ast.unparse(node)} - 1"


def _is_one(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 1


def _longer_lists(place: Place, left: LeftOut) -> Iterator[Edits]:
    """The list with the parameter at its end; the lists beside it in the loop's header grow as it does."""
    shown = place.node
    assert isinstance(shown, (ast.List, ast.Tuple, ast.Set))
    own = last_word(left.parts)
    beside = [
        d
        for d in (ast.walk(place.loop.iter) if isinstance(place.loop, ast.For) else ())
        if isinstance(d, (ast.List, ast.Tuple, ast.Set)) and len(d.elts) == len(shown.elts)
    ]
    lists = beside if shown in beside else [shown]
    for k in reversed(range(len(shown.elts))):
        old = word_of(shown.elts[k])
        texts = [_renamed(place.source.span(d.elts[k]).text, old, own) for d in lists]
        if all(texts):
            yield tuple(
                (place.source.span(d.elts[-1]), f"{place.source.span(d.elts[-1]).text}, {text}")
                for d, text in zip(lists, texts, strict=True)
            )


def _more_statements(place: Place, left: Sequence[LeftOut]) -> Iterator[Edits]:
    """The update of a sibling, and the same one for the parameter on a line of its own behind it."""
    span = place.source.span(place.statement)
    text = ast.get_source_segment(place.source.text, place.statement) or ""
    if "\n" in text or not text:
        return
    indent = " " * (span.column - 1)
    target: ast.expr | None = place.statement.target if isinstance(place.statement, ast.AugAssign) else None
    if isinstance(place.statement, ast.Assign) and len(place.statement.targets) == 1:
        target = place.statement.targets[0]
    written = {w for n in ast.walk(target) if isinstance(n, ast.expr) and (w := word_of(n))} if target is not None else set()
    for old in sorted(written):
        new = _renamed(text, old, last_word(left[0].parts))
        if new:
            yield ((span, f"{text}\n{indent}{new}"),)
    for old, new in _halves(left):
        changed = _renamed(text, old, new)
        if changed:
            yield ((span, f"{text}\n{indent}{changed}"),)


def _halves(left: Sequence[LeftOut]) -> Iterator[tuple[str, str]]:
    """('W', 'b') of the siblings `W2` and the parameter `b3`: what stands for what in a name that is made."""
    pairs = {
        (theirs[0], mine[0])
        for one in left
        for held in one.siblings
        if (mine := _NUMBERED.search(one.name)) and (theirs := _NUMBERED.search(held.tensor.name))
    }
    yield from sorted((t, m) for t, m in ((_letters(t), _letters(m)) for t, m in pairs) if t != m)


def _letters(word: str) -> str:
    return word.rstrip("0123456789")


def _renamed(text: str, old: str, new: str) -> str:
    """A text with one parameter's name, alone or within that of its gradient, in place of another's; '' if nothing is."""
    if not old or not new or old == new:
        return ""
    changed = re.sub(rf"(\b|_|\b[A-Za-z]{{1,6}}_*){re.escape(old)}\b", rf"\g<1>{new}", text)
    return changed if changed != text else ""


# ---- a run of the copy


@dataclass(slots=True)
class Seen:
    """What a run showed of parameters: where they were found, and what they were when they were looked at again."""

    first: dict[int, dict[Path, np.ndarray]]
    later: list[dict[int, dict[Path, np.ndarray]]]
    error: BaseException | None = None


def watch(place: Place, left: Sequence[LeftOut], values: Mapping[int, np.ndarray], rerun: Rerun, *, edits: Edits = ()) -> Seen:
    """Run the script, or an edited copy, and look at the parameters each time the place is come to, or rarely later on."""
    seen = Seen({}, [])
    visits = 0

    def look(frame: FrameType) -> None:
        nonlocal visits
        visits += 1
        if visits == 1:
            seen.first = _located(frame, left, values)
        elif visits in _LOOKS:
            seen.later.append({i: {p: _at(frame, p) for p in paths} for i, paths in seen.first.items()})
        if not any(seen.first.values()) or visits >= (2 if edits else max(_LOOKS)):
            raise Stop

    path = place.source.path
    sources = {}
    if edits:
        text = apply_edits(place.source.text, edits)
        if text is None:
            return seen
        sources[path] = text
    node = place.loop or place.statement
    try:
        outcome = rerun(probes={probe_place(path, node, "before"): look}, sources=sources)
    except SyntaxError as error:
        seen.error = error
        return seen
    seen.error = outcome.exception
    return seen


def stays(seen: Seen, node: int) -> bool | None:
    """Whether a parameter is the same whenever it is looked at; None where it is not found."""
    first = seen.first.get(node)
    if not first or not seen.later:
        return None
    return all(any(same_bits(first[p], v) for p, v in later.get(node, {}).items()) for later in seen.later)


def steps(seen: Seen, left: LeftOut, gradients: Sequence[np.ndarray]) -> float | None:
    """c of `new = old - c * gradient` after one step of the copy; 0 for another step, None for none."""
    first = seen.first.get(left.node, {})
    moved = [c for p, v in first.items() if seen.later and np.any(c := seen.later[0][left.node][p] - v)]
    factors = [c for change in moved for g in gradients if (c := multiple(change, g))]
    return factors[0] if factors else 0.0 if moved else None


def multiple(change: np.ndarray, gradient: np.ndarray) -> float:
    """c of `change = -c * gradient`; 0 where it is no multiple."""
    if np.size(gradient) != np.size(change):
        return 0.0
    g = np.reshape(np.asarray(gradient, dtype=float), np.shape(change))
    size = float(np.sum(g * g))
    c = -float(np.sum(change * g)) / size if size else 0.0
    near = _TURNED * float(np.max(np.abs(c * g), initial=0.0)) + _ROUNDOFF
    return c if float(np.max(np.abs(change + c * g), initial=0.0)) <= near else 0.0


def _located(frame: FrameType, left: Sequence[LeftOut], values: Mapping[int, np.ndarray]) -> dict[int, dict[Path, np.ndarray]]:
    """Where a frame holds values bit by bit: by a name of theirs, where there is one so."""
    found: dict[int, dict[Path, np.ndarray]] = {one.node: {} for one in left}
    words = {one.node: {last_word(b.parts) for b in one.names} for one in left}
    for path, value in _walked(frame):
        for one in left:
            if np.shape(value) == np.shape(values[one.node]) and same_bits(value, values[one.node]):
                found[one.node][path] = np.array(value)
    for node, paths in found.items():
        named = {p: v for p, v in paths.items() if {str(k) for _, k in p} & words[node]}
        found[node] = named or paths
    return found


def _walked(frame: FrameType) -> Iterator[tuple[Path, np.ndarray]]:
    stack: list[tuple[Path, Any]] = [((("name", k),), v) for k, v in {**frame.f_globals, **frame.f_locals}.items()]
    seen: dict[int, int] = {}
    count = 0
    while stack and count < _MOST_SEEN:
        path, value = stack.pop(0)
        count += 1
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            yield path, value
        elif seen.get(id(value), 0) < _ALIASES and len(path) <= _DEEP:
            seen[id(value)] = seen.get(id(value), 0) + 1
            stack += [((*path, step), v) for step, v in _held(value)]


def _held(value: Any) -> Iterator[tuple[tuple[str, Any], Any]]:
    if isinstance(value, dict):
        yield from ((("item", k), v) for k, v in value.items() if isinstance(k, (str, int)))
    elif isinstance(value, (list, tuple)):
        if len(value) <= 64:
            yield from ((("item", k), v) for k, v in enumerate(value))
    elif hasattr(value, "__dict__") and not isinstance(value, type) and type(value).__name__ not in ("module", "function"):
        yield from ((("attr", k), v) for k, v in vars(value).items())


def _at(frame: FrameType, path: Path) -> np.ndarray:
    """The value at a path, as it is now; not a number where there is none."""
    (_, root), *rest = path
    value: Any = frame.f_locals.get(root, frame.f_globals.get(root))
    try:
        for how, key in rest:
            value = vars(value)[key] if how == "attr" else value[key]
        return np.array(value, dtype=float)
    except (TypeError, ValueError, KeyError, IndexError):
        return np.array(np.nan)


def written(path: Path) -> str:
    """A path as code: `net[0].weights`."""
    text = str(path[0][1])
    for how, key in path[1:]:
        text += f".{key}" if how == "attr" else f"[{key!r}]"
    return text


def fixes_of(place: Place, edits: Edits) -> tuple[Fix, ...]:
    """Edits as a finding has them."""
    return tuple(Fix(s.line, s.text, after, s.path, s.column, s.end_line, s.end_column) for s, after in edits)
