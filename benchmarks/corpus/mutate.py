"""Faulty variants of the backward statements of a program: one statement changed, the rest to the letter as it was."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from programs import Program

from .expressions import Place, expr, mutations, text_of
from .scope import Scope, scopes, statements


@dataclass(frozen=True, slots=True)
class Variant:
    """A program with one mistake. `line` is that of the first wrong value, made in `target`; lines count from 1.

    `edits` are the lines that differ: (line, text before, text after), the whole lines stripped.
    """

    program: str
    source: str
    mistake: str
    line: int
    before: str
    after: str
    target: str
    edits: tuple[tuple[int, str, str], ...]


def variants(program: Program) -> list[Variant]:
    """All variants of a program, each source once."""
    tree = ast.parse(program.source)
    known = scopes(program)
    found: dict[str, Variant] = {program.source: None}  # type: ignore[dict-item]
    for statement, block, place in statements(tree, program.backward):
        scope = known.get(statement.lineno)
        if scope is None:  # never reached
            continue
        for variant in _of(program, tree, statement, block, place, scope):
            found.setdefault(variant.source, variant)
    del found[program.source]
    return list(found.values())


def _of(
    program: Program, tree: ast.AST, statement: ast.stmt, block: list[ast.stmt], place: int, scope: Scope
) -> Iterator[Variant]:
    target = target_of(tree, statement)
    for mistake, text in _texts(program, statement, scope):
        yield replaced(program, mistake, statement, text, target)
    yield from _moved(program, tree, block, place)


def _texts(program: Program, statement: ast.stmt, scope: Scope) -> Iterator[tuple[str, str]]:
    """(mistake, new text of the whole statement)"""
    old = program.source.split("\n")[statement.lineno - 1].encode()[statement.col_offset : statement.end_col_offset]
    original = old.decode()
    for mistake, changed in _changed(statement, scope):
        node, new = changed
        text = splice(statement, original, node, new)
        if text is not None:
            yield mistake, text
    one_hot = re.sub(r"\[(range|np\.arange)\((len\(\w+\)|\w+)\), (\w+)\] -= 1", r"[:, \3] -= 1", original)
    if one_hot != original:
        yield "wrong-index", one_hot
    for mistake, new_statement in _whole(statement, scope):
        yield mistake, text_of(new_statement)


def _changed(statement: ast.stmt, scope: Scope) -> Iterator[tuple[str, tuple[ast.expr, ast.expr]]]:
    value = getattr(statement, "value", None)
    if value is None:
        return
    stack: list[tuple[ast.AST, Place]] = [(value, Place(scope))]
    while stack:
        node, place = stack.pop()
        if isinstance(node, ast.expr):
            for mistake, new in mutations(node, place):
                yield mistake, (node, new)
        for name, child in ast.iter_fields(node):
            inner = Place(scope, place.in_index or name == "slice", name == "func", node)
            for item in child if isinstance(child, list) else [child]:
                if isinstance(item, ast.AST) and not isinstance(item, (ast.Lambda, ast.comprehension)):
                    stack.append((item, inner))


def splice(statement: ast.stmt, original: str, node: ast.expr, new: ast.expr) -> str | None:
    """The statement's text with the text of `node` replaced; None if it cannot be said in place."""
    wanted = _normal(_swap(statement, node, new))
    data, start = original.encode(), statement.col_offset
    head, tail = data[: node.col_offset - start].decode(), data[(node.end_col_offset or 0) - start :].decode()
    for text in (text_of(new), f"({text_of(new)})"):
        try:
            if _normal(ast.parse(head + text + tail).body[0]) == wanted:
                return head + text + tail
        except SyntaxError:
            pass
    try:
        return wanted if _normal(ast.parse(wanted).body[0]) == wanted else None
    except SyntaxError:
        return None


def _swap(statement: ast.stmt, node: ast.expr, new: ast.expr) -> ast.stmt:
    memo = {id(node): copy.deepcopy(new)}
    return copy.deepcopy(statement, memo)


def _normal(node: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(node))


def _whole(statement: ast.stmt, scope: Scope) -> Iterator[tuple[str, ast.stmt]]:
    """Faults of a whole statement: its factor, its sign, its accumulation, its loss, its bias."""
    value = getattr(statement, "value", None)
    if value is None or isinstance(statement, ast.Expr) or isinstance(value, (ast.Tuple, ast.List, ast.Constant)):
        return
    text = text_of(value)
    update = statement if isinstance(statement, ast.AugAssign) else None
    plain = isinstance(value, (ast.Name, ast.Attribute, ast.Subscript)) and not update

    def with_value(new: str) -> ast.stmt:
        made = copy.deepcopy(statement)
        made.value = expr(new)  # type: ignore[attr-defined]
        return made

    made_new = re.search(r"zeros|copy\(|reshape\((?!-1)|empty", text) or isinstance(value, (ast.ListComp, ast.Dict))
    if not made_new and not plain:
        yield "scaled", with_value(f"2 * ({text})")
        if not update:
            yield "scaled", with_value(f"0.5 * ({text})")
            yield "sign", with_value(f"-({text})")
        for count in scope.counts()[:2]:
            yield "scaled", with_value(f"({text}) / {count}")
    if update and isinstance(update.op, (ast.Add, ast.Sub)):
        other = copy.deepcopy(update)
        other.op = ast.Sub() if isinstance(update.op, ast.Add) else ast.Add()
        yield "sign", other
        if isinstance(update.op, ast.Add):
            yield "missing-term", ast.Assign([update.target], value, lineno=1)
        if re.fullmatch(r"(self\.)?(b\w*|beta|.*bias\w*)", text_of(update.target)):
            yield "missing-bias", with_value(f"0 * {text}")
    yield from _losses(scope, with_value, text)
    yield from _diagonal(scope, with_value, text)


def _losses(scope: Scope, with_value: Callable[[str], ast.stmt], text: str) -> Iterator[tuple[str, ast.stmt]]:
    """The derivative of another loss: p (1 - p) of a squared error at an output, the sign of an absolute one."""
    for name, p in scope.values.items():
        named = np.ndim(p) == 2 and re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", text)
        delta = " - " in text and "1 - " not in text and "@" not in text
        if named and delta and np.all((p > 0) & (p < 1)):
            yield "loss-mismatch", with_value(f"({text}) * {name} * (1 - {name})")
    found = re.fullmatch(r"2 \* \((\w+) - (\w+)\) / (.*)", text)
    if found and found[2] in scope.targets:
        yield "loss-mismatch", with_value(f"np.sign({found[1]} - {found[2]}) / {found[3]}")
        if np.ndim(scope.values[found[2]]) == 2:
            yield "broadcasting-drift", with_value(f"2 * ({found[1]} - {found[2]}[:, :1]) / {found[3]}")
    found = re.fullmatch(r"d / (len\(y\))", text)
    if found and "scores" in scope.values:
        yield "loss-mismatch", with_value(f"d * softmax(scores) * (1 - softmax(scores)) / {found[1]}")


def _diagonal(scope: Scope, with_value: Callable[[str], ast.stmt], text: str) -> Iterator[tuple[str, ast.stmt]]:
    """The delta of a softmax output kept in the true class only: the diagonal of the softmax's derivative."""
    found = re.fullmatch(r"(softmax\((\w+)\)|(\w+)\.copy\(\))", text)
    if found and scope.targets:
        p = found[1] if found[2] else found[3]
        of = found[2] or found[3]
        for y in scope.targets:
            if np.ndim(scope.values.get(y, 0)) == 1 and np.ndim(scope.values.get(of, 0)) == 2:
                yield "softmax-diagonal", with_value(f"{p} * (np.arange({of}.shape[1]) == {y}[:, None])")
    found = re.fullmatch(r"\((\w+) - (\w+)\) / (.*)", text)
    hot = scope.values.get(found[2], 0) if found else 0
    if found and np.ndim(hot) == 2 and np.shape(hot)[1] > 1 and set(np.unique(hot)) == {0.0, 1.0}:
        yield "softmax-diagonal", with_value(f"({found[1]} - {found[2]}) * {found[2]} / {found[3]}")


def replaced(program: Program, mistake: str, statement: ast.stmt, text: str, target: str) -> Variant:
    """The program with another text for one statement; an `out=` names the variable that is spoilt."""
    lines = program.source.split("\n")
    line = lines[statement.lineno - 1]
    data = line.encode()
    new = data[: statement.col_offset].decode() + text + data[statement.end_col_offset :].decode()
    before, after = line.strip(), new.strip()
    lines[statement.lineno - 1] = new
    spoilt = re.search(r"out=(\w+)\)", text) if mistake == "alias" else None
    target = spoilt[1] if spoilt else target
    edit = (statement.lineno, before, after)
    return Variant(program.name, "\n".join(lines), mistake, statement.lineno, before, after, target, (edit,))


def _moved(program: Program, tree: ast.AST, block: list[ast.stmt], place: int) -> Iterator[Variant]:
    """The update of a variable moved to just before the last statement that still reads its old value."""
    update = block[place]
    if not isinstance(update, (ast.AugAssign, ast.Assign)) or isinstance(update, ast.Assign) and len(update.targets) != 1:
        return
    target = update.target if isinstance(update, ast.AugAssign) else update.targets[0]
    name = text_of(target)
    if isinstance(update, ast.Assign) and name not in text_of(update.value):
        return
    needs = {text_of(n) for n in ast.walk(update) if isinstance(n, (ast.Name, ast.Attribute, ast.Subscript))}
    for i in range(place - 1, -1, -1):
        earlier = block[i]
        if earlier.lineno != earlier.end_lineno or not any(a <= earlier.lineno <= b for a, b in program.backward):
            return
        if _reads(earlier, name) and not isinstance(earlier, ast.AugAssign):
            yield _reordered(program, tree, block[i:place], update)
            return
        if _writes(earlier) & needs:
            return


def _reads(statement: ast.stmt, name: str) -> bool:
    value = getattr(statement, "value", None)
    return value is not None and any(text_of(n) == name for n in ast.walk(value) if isinstance(n, ast.expr))


def _writes(statement: ast.stmt) -> set[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return {text_of(n) for t in targets if t is not None for n in ast.walk(t) if isinstance(n, ast.expr)}


def _reordered(program: Program, tree: ast.AST, passed: list[ast.stmt], update: ast.stmt) -> Variant:
    lines = program.source.split("\n")
    old = lines[:]
    start, end = passed[0].lineno - 1, update.lineno - 1
    lines[start : end + 1] = [old[end], *old[start:end]]
    edits = tuple((i + 1, a.strip(), b.strip()) for i, (a, b) in enumerate(zip(old, lines, strict=True)) if a != b)
    before = old[start].strip()
    target = target_of(tree, passed[0])
    return Variant(program.name, "\n".join(lines), "update-before-use", start + 2, before, old[end].strip(), target, edits)


def target_of(tree: ast.AST, statement: ast.stmt) -> str:
    """The variable a statement makes: the text of its target, or 'return value of f'."""
    if isinstance(statement, ast.AugAssign):
        return text_of(statement.target)
    if isinstance(statement, ast.Assign):
        return text_of(statement.targets[0])
    if isinstance(statement, ast.Return):
        return f"return value of {_function(tree, statement)}"
    call = statement.value if isinstance(statement, ast.Expr) else None
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
        changed = call.func.value if call.func.attr in ("append", "insert") or not call.args else call.args[0]
        return text_of(changed)
    return text_of(statement)


def _function(tree: ast.AST, statement: ast.stmt) -> str:
    best = ""
    for node in ast.walk(tree):
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            continue
        if node.lineno <= statement.lineno <= (node.end_lineno or 0):
            best = f"{best}.{node.name}" if best else node.name
    return best
