"""The warnings of a script appear as its own run shows them: each once, and none of the tool's."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import types
import warnings
from pathlib import Path

import numpy as np
import pytest

from backpropdoctor.tape.held_back import held_back, unheard

SCRIPT = """
import warnings
import numpy as np
rng = np.random.default_rng(1)
X = rng.normal(size=(8, 2))
y = X @ np.array([[1.0], [-2.0]])
w = np.zeros((2, 1))
for step in range(12):
    err = X @ w - y
    loss = np.mean(err ** 2)
    warnings.warn(f"step {step // 6}")
    biggest = np.exp(900.0 + np.abs(err)).max()
    w -= 0.1 * FACTOR * X.T @ err / len(X)
print(loss)
"""


@pytest.mark.parametrize("factor", ["2", "(-2)"])
def test_a_script_warns_as_without_the_tool(factor: str, tmp_path: Path) -> None:
    path = tmp_path / "warns.py"
    path.write_text(SCRIPT.replace("FACTOR", factor))
    plain = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=True)
    checked = subprocess.run(
        [sys.executable, "-m", "backpropdoctor", "check", str(path)], capture_output=True, text=True, check=False
    )
    assert "overflow encountered in exp" in plain.stderr
    told = checked.stderr.splitlines()
    if factor == "2":
        assert told == plain.stderr.splitlines()
    else:  # stopped where enough was recorded
        assert told and told == [line for line in plain.stderr.splitlines() if "step 1" not in line][: len(told)]


def _module() -> types.ModuleType:
    module = types.ModuleType("warns_here")
    exec("import warnings\ndef speak():\n    warnings.warn('once')\n", module.__dict__)
    sys.modules["warns_here"] = module
    return module


@pytest.mark.parametrize(("context", "times"), [(unheard, 1), (warnings.catch_warnings, 2)])
def test_python_remembers_what_it_told(context: type[contextlib.AbstractContextManager], times: int) -> None:
    module = _module()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("default")
        for _ in range(2):
            module.speak()
            with context():
                np.log(np.zeros(1) + 1)
    del sys.modules["warns_here"]
    assert len([w for w in told if str(w.message) == "once"]) == times


def test_what_is_computed_inside_warns_nobody() -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with unheard():
            np.log(np.zeros(1))
            warnings.warn("mine", stacklevel=1)
    assert told == []


@pytest.mark.parametrize("release", [True, False])
def test_warnings_are_held_back_with_the_output(release: bool, capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with held_back() as held:
            print("printed")
            warnings.warn("warned", stacklevel=1)
            held.release = release
    assert len(told) == release
    assert capsys.readouterr().out == ("printed\n" if release else "")
