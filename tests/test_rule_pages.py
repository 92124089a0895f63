"""The examples on the rule pages: the first yields exactly the rule's code, the second none at all."""

from __future__ import annotations

import re

import pytest

import backpropdoctor as bd
from backpropdoctor import rules

MINE = [code for code in rules.names() if code < "BD100" or code in ("BD101", "BD102", "BD103") or code >= "BD400"]
MINE = [code for code in MINE if not code.startswith(("BD2", "BD3")) and code != "BD022"]  # a record of 2 GiB is no test


def blocks(code: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", rules.get(code).page, re.DOTALL)


def report_of(block: str, tmp_path):
    """A block with `report = …` is run; one without is a module, which `check` is pointed at."""
    path = tmp_path / "example_module.py"
    path.write_text(block)
    if "report = " not in block:
        return bd.check(str(path))
    space = {"__name__": "example"}
    exec(compile(block, str(path), "exec"), space)
    return space["report"]


@pytest.mark.parametrize("code", MINE)
def test_the_failing_example_yields_exactly_this_code(code, tmp_path):
    report = report_of(blocks(code)[0], tmp_path)
    assert {f.code for f in report.findings} == {code}
    finding = report.findings[0]
    assert finding.name == rules.get(code).name
    assert finding.severity == rules.get(code).severity or code == "BD103"
    assert not report.ok or finding.severity != "error"


@pytest.mark.parametrize("code", MINE)
def test_the_fixed_example_yields_none(code, tmp_path):
    report = report_of(blocks(code)[1], tmp_path)
    assert not report.findings
    assert report.ok
    assert all(c.verdict == "right" for c in report.checked) and report.checked


@pytest.mark.parametrize("code", MINE)
def test_a_page_has_all_its_parts(code):
    page = rules.get(code).page
    assert len(blocks(code)) == 2
    for part in ("What was measured:", "Why it is wrong:", "Failing:", "Fixed:", "Look-alikes and limits:"):
        assert part in page
    assert rules.get(code).summary.endswith(".")


def test_messages_are_lower_case_without_a_final_stop(tmp_path):
    for code in MINE:
        for finding in report_of(blocks(code)[0], tmp_path).findings:
            for text in (finding.message, finding.help):
                assert not text or (not text.endswith(".") and (text[0] == "`" or not text[0].isupper())), text
