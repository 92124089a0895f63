"""What of the evidence is drawn, coloured by the style sheet of the page.

The keys of `finding.evidence` and `checked.evidence` that are drawn stand in `report/README.md`; every one is optional,
and a value that has not the form said there is not drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from . import curves
from .heatmap import heatmap


def draw(evidence: Mapping[str, Any], name: str, key: str) -> list[Markup]:
    """Every drawing the evidence allows; `name` is that of the tensor or finding, `key` makes the ids unique."""
    makers = {
        "heatmap": heatmap,
        "ladder": curves.ladder,
        "loss_curve": curves.loss_curve,
        "ratio_curves": curves.ratio_curves,
    }
    drawn = []
    for kind, make in makers.items():
        if kind not in evidence:
            continue
        try:
            drawn.append(make(evidence[kind], name, f"{key}-{kind.replace('_', '-')}"))
        except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError):
            continue  # not of the form that can be drawn
    return [d for d in drawn if d]
