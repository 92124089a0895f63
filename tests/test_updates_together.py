"""The whole `check` of each program with one dead update says one thing: gradient, update and exception are not told apart."""

from __future__ import annotations

import contextlib
import io

import pytest
from updates_programs import BROKEN

from backpropdoctor.scripts import check_script

AS_A_GRADIENT = {("BD316", "functions"): "BD102"}  # a gradient times 0: the factor is named, with the edit


@pytest.mark.parametrize("case", BROKEN, ids=lambda c: f"{c.code}-{c.style}")
def test_one_cause_is_one_finding(case, tmp_path):
    path = tmp_path / "train.py"
    path.write_text(case.source)
    with contextlib.redirect_stdout(io.StringIO()):
        found = check_script(str(path), time_limit=10.0, pictures=False).findings
    faults = [f for f in found if f.severity != "note"]
    said = faults or [f for f in found if f.code == case.code]
    assert len(said) == 1, [(f.code, f.line, f.message) for f in found]
    assert AS_A_GRADIENT.get((case.code, case.style), case.code) in [f.code for f in found]
    if "# <-" in case.source:
        assert said[0].line == case.line
