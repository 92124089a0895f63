"""Scripts found in the wild, beside the checkout: recorded faithfully, and printing what they print without a recorder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tape_oracle import unfaithful

from backpropdoctor.tape.run import run_script

SEEDS = Path(__file__).parent.parent.parent / "shared" / "seeds"
NAMES = ["seed0_digits", "seed1_planar", "seed2_mnist", "seed3_deep", "seed4_mlp3"]
SEEDED = NAMES[1:2] + NAMES[3:]  # the others draw without a seed: no two runs print the same


def script(name: str) -> Path:
    path = SEEDS / f"{name}.py"
    if not path.exists():
        pytest.skip("the programs in ../shared/seeds are not here")
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    return path


@pytest.mark.parametrize("name", NAMES)
def test_the_record_is_faithful(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    path = script(name)
    monkeypatch.syspath_prepend(str(SEEDS / "stubs"))
    result = run_script(path, debug=True)
    assert result.exception is None and result.stopped and result.tape.complete
    assert len(result.tape.iterations) >= 3
    assert unfaithful(result.tape) == []


@pytest.mark.parametrize("name", SEEDED)
def test_it_prints_what_it_prints_plain(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = script(name)
    run_script(path, debug=True)
    recorded = capsys.readouterr().out.splitlines()
    assert recorded
    environment = {**os.environ, "MPLBACKEND": "Agg"}
    with subprocess.Popen(
        [sys.executable, "-u", str(path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as plain:
        assert plain.stdout is not None
        lines = [plain.stdout.readline().rstrip("\n") for _ in recorded]
        plain.kill()
    assert lines == recorded
