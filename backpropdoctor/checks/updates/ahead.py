"""What will fail next: the code behind a block that never ran, examined on the values at its door.

Keys are looked up where their containers are known. The loop's range is mended so that its targets are the parameters
that never changed; nothing is proposed where no such range exists.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...finding import Fix
from ...source import Span
from .evaluate import Unknown, attempt
from .names import is_gradient_name, listing, stems
from .statements import Source
from .tracks import Recorded
from .unreached import Unreached

Edit = tuple[Span, str]


@dataclass(slots=True)
class Ahead:
    """What stands behind the door: the first error in words, all errors, the edits that mend them, and advice."""

    said: str = ""
    errors: list[str] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    related: list[tuple[Span, str]] = field(default_factory=list)
    help: str = ""

    @property
    def fixes(self) -> tuple[Fix, ...]:
        return tuple(_fix(span, after) for span, after in self.edits)


def _fix(span: Span, after: str) -> Fix:
    return Fix(span.line, span.text, after, span.path, span.column, span.end_line, span.end_column)


def ahead_of(gate: Unreached, recorded: Recorded, names: Sequence[str]) -> Ahead:
    """Examine the code behind a closed block, for the parameters `names` that it would update."""
    found = Ahead()
    values = dict(gate.gate.values)
    if gate.gate.kind == "function":
        name = gate.gate.node.name  # type: ignore[attr-defined]
        arguments = ast.unparse(gate.gate.node.args)  # type: ignore[attr-defined]
        found.help = f"call `{name}({arguments})` in the training loop, after the gradients are computed"
        return found
    advice: list[str] = []
    if gate.gate.kind == "loop":
        mended_range = _mend_range(gate, values, names, recorded)
        if mended_range is not None:
            edit, first = mended_range
            values.update(first)
            found.edits.append(edit)
            advice.append(f"let it run over `{_mended_header(gate, edit)}`")
    _examine(gate, values, found, advice)
    found.help = "; ".join(advice) or _plain_advice(gate)
    if found.errors:
        found.said = found.errors[0]
    return found


def _plain_advice(gate: Unreached) -> str:
    if gate.gate.kind == "loop":
        return "let the loop run over every layer"
    return "look at the values that the condition compares"


def _mended_header(gate: Unreached, edit: Edit) -> str:
    span, after = edit
    call = next(c for c in _ranges(gate.gate.node.iter) if _holds(gate.source.span(c), span))  # type: ignore[attr-defined]
    whole = gate.source.span(call)
    text = whole.text
    start = span.column - whole.column
    return text[:start] + after + text[start + len(span.text) :]


def _holds(outer: Span, inner: Span) -> bool:
    return outer.line == inner.line and outer.column <= inner.column and inner.end_column <= outer.end_column


# ---- the range


def _ranges(header: ast.expr) -> list[ast.Call]:
    return [n for n in ast.walk(header) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == "range"]


def _mend_range(
    gate: Unreached, values: Mapping[str, Any], names: Sequence[str], recorded: Recorded
) -> tuple[Edit, dict[str, Any]] | None:
    """The smallest edit of a range whose values lead to exactly the parameters that never changed, and its first
    value."""
    node = gate.gate.node
    if not isinstance(node, ast.For) or not isinstance(node.target, ast.Name):
        return None
    wanted = {t.parts[-1] for t in recorded.tracks if t.name in names}
    for call in _ranges(node.iter):
        for arg, text in _variants(call, gate.source):
            made = _range_with(call, arg, text, values)
            if made is None or not 0 < len(made) < 1000:
                continue
            if _targets(gate, node.target.id, made, values) == wanted:
                return (gate.source.span(arg), text), {node.target.id: made[0]}
    return None


def _variants(call: ast.Call, source: Source) -> Iterator[tuple[ast.expr, str]]:
    if not call.args or call.keywords:
        return
    stop = call.args[1] if len(call.args) > 1 else call.args[0]
    texts = []
    if isinstance(stop, ast.BinOp) and isinstance(stop.op, (ast.Add, ast.Sub)) and isinstance(stop.right, ast.Constant):
        left = source.span(stop.left).text
        texts += [left, f"{left}+1", f"{left}-1"]
    text = source.span(stop).text
    texts += [f"{text}+1", f"{text}-1"]
    yield from ((stop, t) for t in dict.fromkeys(texts))


def _range_with(call: ast.Call, arg: ast.expr, text: str, values: Mapping[str, Any]) -> range | None:
    args = [attempt(ast.parse(text, mode="eval").body if a is arg else a, values) for a in call.args]
    if any(a is Unknown or not isinstance(a, (int, np.integer)) for a in args):
        return None
    try:
        return range(*(int(a) for a in args))
    except (TypeError, ValueError):
        return None


def _targets(gate: Unreached, name: str, made: range, values: Mapping[str, Any]) -> set[Any]:
    """The keys that exist of those the statements would change, or None's place where a target is not looked up by
    key."""
    found: set[Any] = set()
    for statement in gate.statements:
        target = statement.target
        if not isinstance(target, ast.Subscript):
            return set()
        for value in made:
            here = {**values, name: value}
            holder, key = attempt(target.value, here), attempt(target.slice, here)
            if key is Unknown or holder is Unknown:
                return set()
            if isinstance(holder, (list, tuple)) and isinstance(key, int) and not -len(holder) <= key < len(holder):
                return set()
            if not isinstance(holder, dict) or key in holder:
                found.add(key)
    return found


# ---- the keys


def _examine(gate: Unreached, values: Mapping[str, Any], found: Ahead, advice: list[str]) -> None:
    node = gate.gate.node
    body = getattr(node, "orelse" if gate.gate.branch == "orelse" else "body")
    made = {n.id for s in body for n in ast.walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    for statement in body:
        missing = [m for m in _lookups(statement, values) if m is not None]
        target = _target_missing(statement, values)
        if target is not None and missing and not any(_meant(key, holder) for _, key, holder in missing):
            sub, key, holder = missing[0]
            _note(found, gate.source, sub, key, holder)
            _note(found, gate.source, target[0], target[1], target[2])
            found.edits.append((gate.source.span(statement), "pass" if len(body) == 1 else ""))
            advice.append(f"drop line {statement.lineno}")
            continue
        for sub, key, holder in missing:
            _note(found, gate.source, sub, key, holder)
            edit = _key_edit(sub, key, _meant(key, holder), gate.source)
            if edit is not None:
                found.edits.append(edit)
                advice.append(f"read `{_edited(gate.source.span(sub), edit)}`")
        _unknown_names(statement, values, made, found, gate.source)


def _lookups(statement: ast.stmt, values: Mapping[str, Any]) -> Iterator[tuple[ast.Subscript, Any, dict] | None]:
    """The look-ups of a statement (its plain target apart) whose key is known and not in the dictionary."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            missing = _missing(node, values)
            holder = attempt(node.value, values)
            if missing and isinstance(holder, dict) and _is_target(statement, node):
                continue
            yield missing


def _is_target(statement: ast.stmt, node: ast.Subscript) -> bool:
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return any(ast.unparse(t) == ast.unparse(node) for t in targets)


def _target_missing(statement: ast.stmt, values: Mapping[str, Any]) -> tuple[ast.Subscript, Any, dict] | None:
    if isinstance(statement, (ast.Assign, ast.AugAssign)):
        target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
        if isinstance(target, ast.Subscript):
            return _missing(target, values)
    return None


def _missing(node: ast.Subscript, values: Mapping[str, Any]) -> tuple[ast.Subscript, Any, dict] | None:
    holder, key = attempt(node.value, values), attempt(node.slice, values)
    if not isinstance(holder, dict) or key is Unknown or not holder:
        return None
    try:
        return None if key in holder else (node, key, holder)
    except TypeError:
        return None


def _meant(key: Any, holder: Mapping[Any, Any]) -> Any:
    """The key that differs from `key` by a gradient's affix only; None where there is none or more than one."""
    if not isinstance(key, str):
        return None
    close = [k for k in holder if isinstance(k, str) and (key in stems(k)[1:] or k in stems(key)[1:])]
    affixed = [k for k in close if is_gradient_name(k) != is_gradient_name(key)] or close
    return affixed[0] if len(affixed) == 1 else None


def _note(found: Ahead, source: Source, node: ast.Subscript, key: Any, holder: Mapping[Any, Any]) -> None:
    name = f"{source.span(node.value).text}[{_quoted(key, source.span(node).text)}]"
    said = f"`{name}` will raise KeyError: the keys are {listing(list(holder))}"
    if said not in found.errors:
        found.errors.append(said)
        found.related.append((source.span(node), f"`{name}` does not exist"))


def _quoted(key: Any, like: str) -> str:
    return f'"{key}"' if isinstance(key, str) and '"' in like else repr(key)


def _key_edit(node: ast.Subscript, key: Any, meant: Any, source: Source) -> Edit | None:
    """The edit of the string in a key that makes it `meant`: `"W" + str(i)` becomes `"dW" + str(i)`."""
    if meant is None:
        return None
    for part in ast.walk(node.slice):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and str(key).startswith(part.value) and part.value:
            rest = str(key)[len(part.value) :]
            if not str(meant).endswith(rest) or isinstance(node.slice, ast.JoinedStr):
                return None
            fresh = str(meant)[: len(str(meant)) - len(rest)]
            span = source.span(part)
            return span, span.text.replace(part.value, fresh, 1)
    return None


def _edited(whole: Span, edit: Edit) -> str:
    span, after = edit
    start = span.column - whole.column
    return whole.text[:start] + after + whole.text[start + len(span.text) :]


def _unknown_names(statement: ast.stmt, values: Mapping[str, Any], made: set[str], found: Ahead, source: Source) -> None:
    if not values:
        return
    inner = {a.arg for n in ast.walk(statement) if isinstance(n, ast.arguments) for a in [*n.args, *n.kwonlyargs]}
    for node in ast.walk(statement):
        if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load):
            continue
        if node.id in values or node.id in made or node.id in inner or hasattr(builtins, node.id):
            continue
        said = f"`{node.id}` will raise NameError"
        if said not in found.errors and not _assigned(node.id, source):
            found.errors.append(said)
            found.related.append((source.span(node), f"`{node.id}` does not exist"))


def _assigned(name: str, source: Source) -> bool:
    return any(
        (isinstance(n, ast.Name) and n.id == name and not isinstance(n.ctx, ast.Load))
        or (isinstance(n, (ast.FunctionDef, ast.ClassDef)) and n.name == name)
        or (isinstance(n, ast.alias) and (n.asname or n.name).split(".")[0] == name)
        or (isinstance(n, ast.arg) and n.arg == name)
        for n in ast.walk(source.tree)
    )
