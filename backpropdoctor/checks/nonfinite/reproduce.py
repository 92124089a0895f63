"""A birth in a folder of its own: the values that its step was given, and a script that computes the step again."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError
from .birth import Birth
from .locate import Trace
from .written import Written, written

_SCRIPT = '''"""{title}

{about}
"""

from pathlib import Path

import numpy as np


def tell(name, value, line):
    value = np.asarray(value)
    bad = np.argwhere(~np.isfinite(value))
    first = f"; the first is {{bad[0].tolist()}} = {{value[tuple(bad[0])]}}" if len(bad) else ""
    print(f"line {{line}}: {{len(bad)}} of {{value.size}} elements of `{{name}}` are not finite{{first}}")


np.seterr(all="ignore")
given = np.load(Path(__file__).with_name("step.npz"))
{lines}
'''


def write_reproducer(
    birth: Birth,
    folder: str | os.PathLike[str],
    last_good: Mapping[str, Any] | None = None,
    *,
    trace: Trace | None = None,
) -> tuple[Path, Path]:
    """Write `step.npz` (what the step was given) and `reproduce.py` (the operations that lead to the birth, and from there
    to the first parameter or loss) into `folder`.

    `trace` is the record of the step that the birth was found on; without it the script holds the expression of the birth
    alone, over its operands. `last_good` (the named arrays at the start of the step) goes into `last_good.npz` beside them.
    Returns the paths of the first two. Raises InputError where neither the step nor the expression can be written down.
    """
    made = written(trace, birth.node) if trace is not None and birth.node is not None else None
    about = "From the values that the step was given to the first parameter or loss that the value reaches."
    if made is None:
        made, about = _expression(birth), "The expression alone, over its operands."
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    data, script = place / "step.npz", place / "reproduce.py"
    np.savez(data, **{name: np.asarray(value) for name, value in made.given.items()})  # type: ignore[arg-type]
    title = f"{birth.cause.text}: `{birth.expression}`".replace("\\", "\\\\").replace('"""', "'''")
    looks = [f"tell({label!r}, {name}, {line})" for label, name, line in made.looks]
    script.write_text(_SCRIPT.format(title=title, about=about, lines="\n".join(made.lines + looks)), encoding="utf-8")
    if last_good:
        np.savez(place / "last_good.npz", **{name: np.asarray(value) for name, value in last_good.items()})  # type: ignore[arg-type]
    return data, script


def reproduced(
    birth: Birth | None, folder: str | os.PathLike[str], last_good: Mapping[str, Any], trace: Trace | None
) -> tuple[Path | None, str]:
    """Write the reproducer of a birth, if there is one: the script, and a sentence that says how to run it or why not."""
    if birth is None:
        return None, "no reproducer was written: nothing non-finite reached the loss or a parameter"
    try:
        script = write_reproducer(birth, folder, last_good, trace=trace)[1]
    except InputError as error:
        return None, f"no reproducer was written: {error}"
    kept = "; `last_good.npz` holds the parameters at the start of that step" if last_good else ""
    return script, f"`python {script}` shows the step of the NaN again{kept}"


def parameters_of(values: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Those of the named arrays that an update of the program changes (`names`); all where it has none of them."""
    found = {k: v for k, v in values.items() if set(re.split(r"\W+", k)) & set(names)}
    return found or dict(values)


def _expression(birth: Birth) -> Written:
    """The smallest program: the expression of the birth over the values of its variables."""
    text = _over_data(birth)
    given = {name: np.asarray(value) for name, value in birth.arrays.items()}
    return Written([f"result = {text}"], given, [(birth.expression, "result", birth.span.line if birth.span else 0)])


def _over_data(birth: Birth) -> str:
    """The expression with every variable taken from the file."""
    try:
        tree = ast.parse(_valued(birth.expression.strip()), mode="eval")
    except SyntaxError:
        raise InputError(f"`{birth.expression}` is no expression that can be evaluated by itself") from None
    keys = {_root(name): name for name in reversed(list(birth.arrays))}
    missing: list[str] = []

    class Replace(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.AST:
            return self._swap(node)

        def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
            return self._swap(node)

        def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
            return self._swap(node)

        def visit_Call(self, node: ast.Call) -> ast.AST:
            if isinstance(node.func, ast.Attribute):  # a method: its object is the variable
                node.func.value = self.visit(node.func.value)
            node.args = [self.visit(a) for a in node.args]
            for keyword in node.keywords:
                keyword.value = self.visit(keyword.value)
            return node

        def _swap(self, node: Any) -> ast.AST:
            text = ast.unparse(node)
            if text.partition(".")[0] in ("np", "numpy", "math"):
                return node  # type: ignore[no-any-return]
            key = next((n for n in birth.arrays if n == text.removeprefix("self.")), keys.get(_root(text)))
            if key is None:
                missing.append(text)
                return node  # type: ignore[no-any-return]
            return ast.parse(f"given[{key!r}]", mode="eval").body

    made = ast.unparse(Replace().visit(tree))
    if missing:
        raise InputError(f"`{missing[0]}` in `{birth.expression}` was not recorded")
    return made.replace("numpy.", "np.")


def _valued(text: str) -> str:
    """`g /= d` as the value it gives."""
    tree = ast.parse(text)
    if len(tree.body) == 1 and isinstance(change := tree.body[0], ast.AugAssign):
        return ast.unparse(ast.BinOp(ast.parse(ast.unparse(change.target), mode="eval").body, change.op, change.value))
    return text


def _root(name: str) -> str:
    return name.removeprefix("self.").partition("[")[0]
