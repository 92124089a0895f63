"""The pages of the rules about NaN and infinity: the failing example yields exactly its code, the fixed one nothing."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from backpropdoctor import rules
from backpropdoctor.checks.nonfinite.classify import CODES
from backpropdoctor.checks.nonfinite.script import watch_script

PAGES = [code for code in rules.names() if code.startswith("BD2")]


def examples(code: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", rules.get(code).page, re.DOTALL)


def codes(text: str, folder: Path) -> list[str]:
    path = folder / "train.py"
    path.write_text(text)
    with np.errstate(all="ignore"):
        return [f.code for f in watch_script(path).findings]


@pytest.mark.parametrize("code", PAGES)
def test_the_failing_example_yields_exactly_this_code(code: str, tmp_path: Path) -> None:
    assert codes(examples(code)[0], tmp_path) == [code]


@pytest.mark.parametrize("code", PAGES)
def test_the_fixed_example_yields_none(code: str, tmp_path: Path) -> None:
    assert codes(examples(code)[1], tmp_path) == []


def test_every_class_belongs_to_a_rule() -> None:
    assert set(CODES.values()) <= set(PAGES)
