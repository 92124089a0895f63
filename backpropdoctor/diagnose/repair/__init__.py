"""Verified repair: single edits of blamed statements, tried on recorded values, proved by running the edited program."""

from __future__ import annotations

from typing import Any

_HOMES = {
    "Repair": "repairs",
    "repair_roots": "repairs",
    "repaired_finding": "repairs",
    "combine": "combine",
    "Combined": "combine",
}

__all__ = ["Combined", "Repair", "combine", "repair_roots", "repaired_finding"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(name)
