"""The curves of a finding about updates: how far each step moved each parameter, and the loss beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...finding import Finding
from .history import History

MOST = 6  # curves of one drawing


def with_curves(findings: Iterable[Finding], history: History) -> list[Finding]:
    """The findings, errors and warnings about parameters with the curves of these and, beside them, of others."""
    drawn = []
    for finding in findings:
        told = finding.severity != "note" and any(name in history.trails for name in finding.tensors)
        evidence = curves(history, finding.tensors) if told else {}
        drawn.append(replace(finding, evidence={**finding.evidence, **evidence}) if evidence else finding)
    return drawn


def curves(history: History, first: Sequence[str]) -> dict[str, Any]:
    """The evidence of both curves; without those that have fewer than two points."""
    names = [n for n in dict.fromkeys([*first, *history.trails]) if n in history.trails][:MOST]
    sizes = {name: [_size(s.before[name], s.after[name]) for s in history.samples if name in s.after] for name in names}
    found: dict[str, Any] = {}
    if moved := {name: values for name, values in sizes.items() if len(values) > 1}:
        found["ratio_curves"] = moved
    if len(history.losses) > 1:
        steps, values = zip(*history.losses, strict=True)
        found["loss_curve"] = {"steps": list(steps), "values": list(values)}
    return found


def _size(before: np.ndarray, after: np.ndarray) -> float:
    """|after - before| / |before|; of a parameter that is zero, NaN."""
    if before.shape != after.shape:
        return math.nan
    old, new = before.astype(np.float64), after.astype(np.float64)
    size = float(np.linalg.norm(old))
    return float(np.linalg.norm(new - old)) / size if size else (0.0 if not np.any(new) else math.nan)
