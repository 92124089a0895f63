"""Plain numbers and the functions of `math`: the wrong function is named, and the right one of the same module written."""

from __future__ import annotations

from pathlib import Path

import pytest

import backpropdoctor as bd

SCRIPT = """
import math as m

tilt, shift = 0.3, 0.7
samples = [(0.1 * k, m.sin(0.5 * k)) for k in range(12)]
for turn in range(20):
    g_tilt = g_shift = loss = 0.0
    for x, y in samples:
        out = m.sin(tilt * x + shift)
        loss += (out - y) ** 2 / len(samples)
        d = 2 * (out - y) / len(samples) * m.cos(tilt * x + shift)
        g_tilt += d * x
        g_shift += d
    tilt -= 0.1 * g_tilt
    shift -= 0.1 * g_shift
"""


@pytest.mark.parametrize(("written", "meant"), [("m.cos(", "m.cos("), ("m.sin(", "m.cos("), ("m.cosh(", "m.cos(")])
def test_another_function_of_the_module_is_the_edit(tmp_path: Path, written: str, meant: str) -> None:
    path = tmp_path / "waves.py"
    path.write_text(SCRIPT.replace("m.cos(", written))
    found = [f for f in bd.check(path).findings if f.severity == "error"]
    if written == meant:
        assert found == []
        return
    [finding] = found
    assert finding.line == 11
    [fix] = finding.fixes
    assert (fix.before, fix.after) == (written[:-1], "m.cos")
