"""README.md opens with what a user types and sees, and its two commands are those that CI runs."""

from __future__ import annotations

import re

import pytest
from doc_blocks import ROOT, blocks

import backpropdoctor

README = ROOT / "README.md"


def test_the_first_block_is_a_command_and_its_output():
    first = blocks(README)[0]
    assert first.language == "console" and first.body.startswith("$ python -m backpropdoctor check ")
    assert "error[BD" in first.body and "-     dW = (1/2) * np.dot(dZ, A_prec.T)" in first.body
    assert "verified: all 4 gradients right" in " ".join(first.body.split())
    assert first.line < 15


def test_ci_runs_the_two_commands_of_the_readme():
    commands = [block.body.strip() for block in blocks(README) if block.language == "bash"]
    assert len(commands) == 2
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert all(command in ci for command in commands)


@pytest.mark.parametrize("name", [n for n in backpropdoctor.__all__ if not n.startswith("__")])
def test_the_readme_shows_every_public_name(name):
    assert re.search(rf"\b{name}\b", README.read_text(encoding="utf-8"))


def test_the_everyday_names_fit_on_one_screen():
    text = README.read_text(encoding="utf-8")
    section = text.split("## The everyday names")[1].split("\n## ")[0]
    assert len(section.strip().splitlines()) <= 40
    assert all(len(line) <= 130 for line in section.splitlines())
