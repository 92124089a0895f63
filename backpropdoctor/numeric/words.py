"""Parts of an array in words."""

from __future__ import annotations

Indices = tuple[tuple[int, ...] | None, ...]  # an entry an axis: the indices along it, None for all


def words_of(indices: Indices, shape: tuple[int, ...]) -> str:
    """'row 3', 'columns 0 and 2', 'element (0, 5)', 'slice [3, :, :]': the wrong part in words; None means all."""
    if all(i is not None for i in indices):
        if all(len(i) == 1 for i in indices if i is not None):
            inner = ", ".join(str(i[0]) for i in indices if i is not None)
            return f"element {inner}" if len(indices) == 1 else f"element ({inner})"
        if len(indices) == 1:
            return f"elements {_listed(indices[0] or ())}"
    if len(indices) == 2 and (indices[0] is None or indices[1] is None):
        name, chosen = ("row", indices[0]) if indices[1] is None else ("column", indices[1])
        assert chosen is not None
        return _numbered(name, chosen)
    if len(indices) == 2:
        return f"elements in {_numbered('row', indices[0] or ())} and {_numbered('column', indices[1] or ())}"
    shown = ", ".join(":" if i is None else str(i[0]) if len(i) == 1 else str(list(i)) for i in indices)
    return f"slice [{shown}]"


def _numbered(name: str, indices: tuple[int, ...]) -> str:
    return f"{name} {indices[0]}" if len(indices) == 1 else f"{name}s {_listed(indices)}"


def _listed(indices: tuple[int, ...]) -> str:
    return joined([str(i) for i in indices])


def joined(words: list[str]) -> str:
    """'a, b and c'."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
