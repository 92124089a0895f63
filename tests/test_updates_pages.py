"""The examples on the pages of the update rules: the first yields exactly the rule's code, the second none."""

from __future__ import annotations

import functools
import linecache
import re
from itertools import islice

import pytest

from backpropdoctor import rules
from backpropdoctor.checks.updates.rerun import rerun
from backpropdoctor.checks.updates.script import check_updates_on_tape
from backpropdoctor.load.understand import recorded_steps, understand
from backpropdoctor.tape.run import FirstSteps, run_script

CODES = [code for code in rules.names() if code.startswith("BD3")]


def blocks(code):
    return re.findall(r"```python\n(.*?)```", rules.get(code).page, re.DOTALL)


def findings_of(block, tmp_path):
    path = tmp_path / "example.py"
    path.write_text(block)
    linecache.checkcache(str(path))
    if "watch_updates" in block:
        space = {"__name__": "example"}
        exec(compile(block, str(path), "exec"), space)
        return space["watch"].findings
    run = run_script(path, policy=FirstSteps(4))
    return check_updates_on_tape(
        run, list(islice(understand(recorded_steps(run.tape)), 6)), rerun=functools.partial(rerun, str(path))
    )


def test_there_are_pages():
    assert len(CODES) == 26


@pytest.mark.parametrize("code", CODES)
def test_the_failing_example_yields_exactly_this_code(code, tmp_path):
    found = findings_of(blocks(code)[0], tmp_path)
    assert [f.code for f in found] == [code], [(f.code, f.message) for f in found]
    assert found[0].name == rules.get(code).name
    for text in (found[0].message, found[0].measured, found[0].help):
        assert not text.endswith(".") and (text[:1] == "`" or not text[:1].isupper())


@pytest.mark.parametrize("code", CODES)
def test_the_fixed_example_yields_none(code, tmp_path):
    assert [(f.code, f.message) for f in findings_of(blocks(code)[1], tmp_path)] == []


@pytest.mark.parametrize("code", CODES)
def test_a_page_has_all_its_parts(code):
    page = rules.get(code).page
    assert len(blocks(code)) == 2
    for part in ("What was measured:", "Why it is wrong:", "Failing:", "Fixed:", "Look-alikes and limits:"):
        assert part in page
    assert rules.get(code).summary.endswith(".")
