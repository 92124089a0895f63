"""Names that tell parameters apart: `reseau.couches[0].poids` where two layers both say `self.poids`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

_DEPTH = 5
_MOST = 20_000  # objects that are looked at


def told_apart(names: Sequence[str], places: Sequence[Hashable], namespace: Mapping[str, Any]) -> list[str]:
    """The names, those that occur more than once replaced by the path that leads to them from a variable of the program.

    `places` are those of the tape's bindings: ("attr", identity of the owner, name) or ("item", identity, key). What no
    variable leads to gets a number.
    """
    counts = Counter(names)
    if max(counts.values(), default=0) < 2:
        return list(names)
    paths = _paths(namespace)
    longer = []
    for name, place in zip(names, places, strict=True):
        owner = paths.get(place[1]) if isinstance(place, tuple) and len(place) == 3 and place[0] in ("attr", "item") else None
        if counts[name] < 2 or owner is None:
            longer.append(name)
        else:
            longer.append(f"{owner}.{place[2]}" if place[0] == "attr" else f"{owner}[{place[2]!r}]")  # type: ignore[index]
    again = Counter(longer)
    seen: Counter[str] = Counter()
    found = []
    for name in longer:
        seen[name] += 1
        found.append(f"{name} (no. {seen[name]})" if again[name] > 1 else name)
    return found


def _paths(namespace: Mapping[str, Any]) -> dict[int, str]:
    """The shortest path to every container and object that the variables of a program lead to, by identity."""
    found: dict[int, str] = {}
    level = [(k, v) for k, v in namespace.items() if not k.startswith("__")]
    for _ in range(_DEPTH):
        deeper: list[tuple[str, Any]] = []
        for path, value in level:
            if id(value) in found or len(found) > _MOST:
                continue
            children = _children(path, value)
            if children is not None:
                found[id(value)] = path
                deeper += children
        level = deeper
    return found


def _children(path: str, value: Any) -> list[tuple[str, Any]] | None:
    if isinstance(value, dict):
        return [(f"{path}[{k!r}]", v) for k, v in list(value.items())[:200] if isinstance(k, (str, int, tuple))]
    if isinstance(value, (list, tuple)):
        return [(f"{path}[{k}]", v) for k, v in enumerate(value[:200])]
    if isinstance(value, type) or callable(value) and not hasattr(value, "__dict__"):
        return None
    own = getattr(value, "__dict__", None)
    if type(own) is dict and type(value).__module__ not in ("builtins", "numpy", "types"):
        return [(f"{path}.{k}", v) for k, v in list(own.items())[:200]]
    slots = [s for c in type(value).__mro__ for s in getattr(c, "__slots__", ()) if isinstance(s, str)]
    if slots and type(value).__module__ not in ("builtins", "numpy"):
        return [(f"{path}.{s}", getattr(value, s, None)) for s in slots]
    return None
