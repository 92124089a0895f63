"""What the rewritten program tells the recorder about a place: plain data, one object per hook call in the source."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from .tape import Site


class _Mark:
    """A named sentinel."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


HOLE: Final = _Mark("HOLE")  # an operand whose value a hook has noted
STAR: Final = _Mark("STAR")  # a noted iterable, spread into positional or keyword arguments
DYNAMIC: Final = _Mark("DYNAMIC")  # a key that is only known when the statement runs


@dataclass(frozen=True, slots=True)
class Path:
    """A name as the user wrote it, taken apart: `self.W[l]` is root 'self', steps (('attr', 'W'), ('key', DYNAMIC))."""

    root: str
    steps: tuple[tuple[str, Any], ...] = ()

    def filled(self, keys: list[Any]) -> tuple[tuple[Any, ...], str]:
        """The parts and the printed name, with the keys noted at run time put in."""
        rest = iter(keys)
        parts: list[Any] = [self.root]
        text = self.root
        for kind, key in self.steps:
            if key is DYNAMIC:
                key = plain_key(next(rest, "?"))
            parts.append(key)
            text += f".{key}" if kind == "attr" else f"[{_key_text(key)}]"
        return tuple(parts), text

    @property
    def dynamic(self) -> int:
        """How many keys are noted at run time."""
        return sum(key is DYNAMIC for _, key in self.steps)

    @property
    def last_dynamic(self) -> bool:
        """Whether the last key is noted at run time."""
        return bool(self.steps) and self.steps[-1][1] is DYNAMIC


def plain_key(key: Any) -> Any:
    """A key without array types: NumPy integers become int; anything not plainly hashable becomes its text."""
    kind = type(key)
    if kind in (str, int, float, bool, type(None)):
        return key
    if kind is tuple:
        return tuple(plain_key(k) for k in key)
    if kind.__module__ == "numpy" and hasattr(kind, "__index__") and not key.shape:
        return int(key)
    if kind is slice:
        text = ":".join("" if part is None else str(plain_key(part)) for part in (key.start, key.stop))
        return Text(text if key.step is None else f"{text}:{plain_key(key.step)}")
    if key is Ellipsis:
        return Text("...")
    return Text("…" if kind.__module__ in ("numpy", "builtins") else kind.__name__)


class Text(str):
    """A key that has no short value of its own, printed without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _key_text(key: Any) -> str:
    if type(key) is tuple and key:
        return ", ".join(repr(k) for k in key)
    return repr(key)


def path_of(node: ast.expr) -> Path | None:
    """The path of a name, attribute or subscript expression; None for anything else."""
    if isinstance(node, ast.Name):
        return Path(node.id)
    if isinstance(node, ast.Attribute):
        inner = path_of(node.value)
        return inner and Path(inner.root, (*inner.steps, ("attr", node.attr)))
    if isinstance(node, ast.Subscript):
        inner = path_of(node.value)
        if inner is None:
            return None
        key = node.slice.value if isinstance(node.slice, ast.Constant) else DYNAMIC
        return Path(inner.root, (*inner.steps, ("key", key)))
    return None


@dataclass(frozen=True, slots=True)
class OpSpec:
    """A pure operation of the language: `op` of `operands`, each a literal or HOLE; `exprs` their syntax."""

    site: Site
    op: Callable[..., Any]
    operands: tuple[Any, ...]
    exprs: tuple[ast.expr, ...]
    holes: int


@dataclass(frozen=True, slots=True)
class CallSpec:
    """A call: `positional` holds literals, HOLE or STAR; `keywords` pairs of name (None for `**`) and the same."""

    site: Site
    positional: tuple[Any, ...]
    keywords: tuple[tuple[str | None, Any], ...]
    exprs: tuple[ast.expr, ...]
    holes: int
    owner: Path | None  # of `xs` in `xs.append(…)`


@dataclass(frozen=True, slots=True)
class BindSpec:
    """Names that get values: `names` in the order in which the hook receives the values."""

    site: Site
    names: tuple[str, ...]
    how: str


@dataclass(frozen=True, slots=True)
class StoreSpec:
    """A store into a name, attribute or subscript. `index` leads to its part of an unpacked value; `op` if augmented.

    `group` is the same for the targets of one statement; `literal` says that the stored operand is a constant.
    """

    site: Site
    path: Path | None
    text: str
    kind: str  # 'name' | 'attr' | 'key'
    group: int
    index: tuple[int, ...] | None = ()
    op: Callable[..., Any] | None = None
    pure: Callable[..., Any] | None = None
    literal: bool = False
    exprs: tuple[ast.expr, ...] = ()


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop of the user's program. `evidence` says why it may be the training loop; empty means that it is not one."""

    site: Site
    evidence: frozenset[str]
    depth: int

    @property
    def updates(self) -> bool:
        """Whether an update of parameters, or a gradient, was seen in it or in what it calls."""
        return bool(self.evidence)
