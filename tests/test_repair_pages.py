"""The pages of the causes of wrong gradients: the failing example yields its code alone, and its edit mends it."""

from __future__ import annotations

import re

import pytest

from backpropdoctor import rules
from backpropdoctor.edits import apply_fixes

CODES = [code for code in rules.names() if "BD104" <= code <= "BD129"]


def blocks(code: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", rules.get(code).page, re.DOTALL)


@pytest.mark.parametrize("code", CODES)
def test_the_failing_example_is_named_and_its_edit_is_the_fixed_one(code, checked):
    bad, good = blocks(code)
    report = checked(bad)
    assert [f.code for f in report.findings] == [code]
    finding = report.findings[0]
    assert finding.explanations[0].status == "verified" and "verified: " in finding.help
    changed = [n for n, (a, b) in enumerate(zip(bad.split("\n"), good.split("\n"), strict=False), 1) if a != b]
    assert finding.line in changed
    mended = apply_fixes(bad, finding.fixes)
    again = checked(mended)
    assert not again.findings and again.ok


@pytest.mark.parametrize("code", CODES)
def test_the_fixed_example_yields_none(code, checked):
    report = checked(blocks(code)[1])
    assert not report.findings and report.ok
    assert report.checked and all(c.verdict == "right" for c in report.checked)


@pytest.mark.parametrize("code", CODES)
def test_a_page_has_all_its_parts(code):
    page = rules.get(code).page
    assert len(blocks(code)) == 2
    for part in ("What was measured:", "Why it is wrong:", "Failing:", "Fixed:", "Look-alikes and limits:"):
        assert part in page
    assert rules.get(code).summary.endswith(".")
