"""`trace_nonfinite()` around user's loops: as a block of a module, a block in a function, and a decorator."""

from __future__ import annotations

import linecache
import runpy
import sys
import textwrap
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nonfinite_healthy as healthy
import nonfinite_ways as ways
import numpy as np
import pytest

from backpropdoctor.checks.nonfinite.watch import NonFiniteError, NonfiniteWatch

IMPORT = "from backpropdoctor.checks.nonfinite.watch import NonfiniteWatch\n"


def split(text: str) -> tuple[str, str]:
    """What stands before the training loop, and the loop."""
    head, _, loop = text.partition("for step")
    return head, "for step" + loop.replace("print(W)\n", "")


def in_module(text: str) -> str:
    head, loop = split(text)
    return IMPORT + head + "with NonfiniteWatch() as tracer:\n" + textwrap.indent(loop, "    ")


def in_function(text: str) -> str:
    head, loop = split(text)
    body = head + "with NonfiniteWatch() as tracer:\n" + textwrap.indent(loop, "    ") + "return tracer\n"
    return IMPORT + "def main():\n" + textwrap.indent(body, "    ") + "tracer = main()\n"


def decorated(text: str) -> str:
    head, loop = split(text)
    names = ", ".join(n for n in ("x", "y", "W") if f"\n{n} = " in head)
    main = f"@tracer\ndef main({names}, np):\n" + textwrap.indent(loop + "return W\n", "    ")
    return IMPORT + "tracer = NonfiniteWatch()\n" + head + main + f"main({names}, np)\n"


FORMS = [in_module, in_function, decorated]


def run(text: str, folder: Path) -> Any:
    path = folder / "train.py"
    path.write_text(text)
    linecache.clearcache()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return runpy.run_path(str(path))["tracer"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ways.BODIES)
def test_each_way_is_found_at_its_line(name: str, form: Callable[[str], str], tmp_path: Path) -> None:
    kind, body = ways.BODIES[name]
    text = form(ways.program(body))
    tracer = run(text, tmp_path)
    first = tracer.findings[0]
    assert (first.line, first.evidence["class"], first.severity) == (ways.marked(text), kind, "error")
    assert first.step == 3
    assert not tracer.ok


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ways.CONTAINED)
def test_what_reaches_nothing_is_a_note(name: str, form: Callable[[str], str], tmp_path: Path) -> None:
    text = form(ways.program(ways.CONTAINED[name]))
    tracer = run(text, tmp_path)
    assert [(f.code, f.line) for f in tracer.findings] == [("BD209", ways.marked(text))]
    assert tracer.ok


@pytest.mark.parametrize("form", FORMS)
def test_nan_in_the_data(form: Callable[[str], str], tmp_path: Path) -> None:
    first = run(form(ways.DATA), tmp_path).findings[0]
    assert (first.code, first.step) == ("BD207", 0)
    assert "`x[1, 1]` is NaN" in first.message


@pytest.mark.parametrize("run_of", healthy.RUNS[::5], ids=lambda r: "-".join(r))
def test_healthy_runs_raise_no_alarm(run_of: tuple[str, str, str, str], tmp_path: Path) -> None:
    text = IMPORT + healthy.program(*run_of).replace(
        "loss = train(30)", "with NonfiniteWatch() as tracer:\n    loss = train(30)"
    )
    tracer = run(text, tmp_path)
    assert tracer.ok
    assert [f for f in tracer.findings if f.severity != "note"] == []


def diverge(lr: float, steps: int = 400) -> np.ndarray:
    W = np.ones(3)
    for _ in range(steps):
        W -= lr * 2 * W
    return W


def test_results_are_the_same_bit_for_bit() -> None:
    plain = diverge(0.3)
    with NonfiniteWatch():
        watched = diverge(0.3)
    assert plain.tobytes() == watched.tobytes()


def test_the_error_is_raised_where_it_is_asked_for() -> None:
    with pytest.raises(NonFiniteError) as caught, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with NonfiniteWatch(raises=True):
            diverge(1e3)
    assert caught.value.finding.code == "BD204"
    assert caught.value.finding.tensors == ("W",)


def test_without_asking_nothing_is_raised_and_the_loop_goes_on() -> None:
    found = []
    with NonfiniteWatch(on_finding=found.append) as tracer, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        W = diverge(1e3)
    assert not np.isfinite(W).any()
    assert [f.code for f in found] == ["BD204"]
    assert tracer.findings[0] == found[0]


def test_warnings_come_as_they_would_without_the_watch() -> None:
    with pytest.warns(RuntimeWarning, match="divide by zero encountered in log"), NonfiniteWatch():
        np.log(np.zeros(2))


def test_a_raising_error_state_still_raises() -> None:
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError, match="divide by zero"), NonfiniteWatch():
        np.log(np.zeros(2))


def test_everything_is_put_back() -> None:
    before = (np.geterr(), np.geterrcall(), sys.gettrace())
    with pytest.raises(KeyError), NonfiniteWatch():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            np.log(np.zeros(2))
        raise KeyError("the user's own")
    assert (np.geterr(), np.geterrcall(), sys.gettrace()) == before


def test_a_tracer_that_was_there_before_is_there_afterwards() -> None:
    seen: list[str] = []

    def mine(frame: Any, event: str, argument: Any) -> Any:
        seen.append(event)
        return None

    before = sys.gettrace()
    sys.settrace(mine)
    try:
        with NonfiniteWatch(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            diverge(1e3)
        after = sys.gettrace()
    finally:
        sys.settrace(before)
    assert after is mine
