"""The operands of a birth in a file, and a few lines that load them and evaluate the expression again."""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError
from .birth import Birth

_SCRIPT = '''"""{title}"""

from pathlib import Path

import numpy as np

data = np.load(Path(__file__).with_name("step.npz"))
with np.errstate(all="ignore"):
    result = np.asarray({expression})
bad = np.argwhere(~np.isfinite(result))
print(len(bad), "of", result.size, "elements are not finite; the first is", bad[0].tolist(), "=", result[tuple(bad[0])])
'''


def write_reproducer(
    birth: Birth, folder: str | os.PathLike[str], last_good: Mapping[str, Any] | None = None
) -> tuple[Path, Path]:
    """Write `step.npz` (the operands of the birth) and `reproduce.py` (which evaluates its expression) into `folder`.

    `last_good` (the named arrays at the start of the step) goes into `last_good.npz` beside them. Returns the paths of
    the first two. Raises InputError where the expression reads something that was not recorded.
    """
    expression = _over_data(birth)
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    data, script = place / "step.npz", place / "reproduce.py"
    np.savez(data, **{name: np.asarray(value) for name, value in birth.arrays.items()})  # type: ignore[arg-type]
    title = f"{birth.cause.text}: `{birth.expression}`".replace('"""', "'''")
    script.write_text(_SCRIPT.format(title=title, expression=expression), encoding="utf-8")
    if last_good:
        np.savez(place / "last_good.npz", **{name: np.asarray(value) for name, value in last_good.items()})  # type: ignore[arg-type]
    return data, script


def _over_data(birth: Birth) -> str:
    """The expression with every variable taken from the file."""
    try:
        tree = ast.parse(birth.expression.strip(), mode="eval")
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

        def _swap(self, node: Any) -> ast.AST:
            text = ast.unparse(node)
            if text.partition(".")[0] in ("np", "numpy", "math"):
                return node  # type: ignore[no-any-return]
            key = next((n for n in birth.arrays if n == text.removeprefix("self.")), keys.get(_root(text)))
            if key is None:
                missing.append(text)
                return node  # type: ignore[no-any-return]
            return ast.parse(f"data[{key!r}]", mode="eval").body

    made = ast.unparse(Replace().visit(tree))
    if missing:
        raise InputError(f"`{missing[0]}` in `{birth.expression}` was not recorded")
    return made.replace("numpy.", "np.")


def _root(name: str) -> str:
    return name.removeprefix("self.").partition("[")[0]
