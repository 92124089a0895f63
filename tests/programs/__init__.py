"""The corpus: short training scripts as people write them, their broken twins, and what is true of each.

`styles/` holds scripts in the seven styles of hand-written backprop, with broken twins made by single-line edits;
`architectures/` holds healthy networks, each as a script and as layer objects, for fault injection. Beside every `name.py`
stands `name.toml`: where a training step begins, where parameters, data and gradients live, an independent loss (the
oracle), the line ranges of the backward pass, and the twins. `tests/test_programs_truth.py` measures every claim.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent

MISTAKES = (
    "wrong-index",
    "wrong-variable",
    "scaled",
    "missing-derivative",
    "elementwise-for-matmul",
    "wrong-derivative-function",
    "wrong-argument",
    "sign",
    "transposed",
    "wrong-axis",
    "broadcasting-drift",
    "update-before-use",
    "softmax-diagonal",
    "missing-path",
    "missing-term",
    "missing-factor",
    "missing-bias",
    "wrong-key",
    "alias",
    "double-reduction",
    "uniform-scale",
    "loss-mismatch",
    "forward-axis",
)


@dataclass(frozen=True, slots=True)
class Edit:
    """On `line` (from 1) the text `before`, which stands there exactly once, becomes `after`."""

    line: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Twin:
    """A broken version of a program, and the truth about it.

    `root` names the variable in which the first wrong value is made, `root_line` its line in the twin's source. `wrong`
    lists the parameters (keys of `Program.params`) whose gradient is not that of the loss; for a scale that all share
    (severity 'warning') it lists all. Severity 'none': the edit cancels or has no effect. `loss` names the oracle
    function that is the twin's own loss (it differs where the forward pass or the loss was edited). `scale` is the common
    factor of a 'warning'.
    """

    id: str
    mistake: str
    edits: tuple[Edit, ...]
    root: str
    root_line: int
    wrong: tuple[str, ...]
    severity: str
    loss: str = "loss"
    scale: float | None = None
    source: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Program:
    """A healthy script and how to measure it.

    A training step begins whenever the statement on line `anchor` is reached. The expressions `params`, `start` are read
    then, `end`, `grads`, `lr` when it is reached the next time; `start` and `end` make the data of the oracle. Where
    `grads` is empty the gradient is (before - after) / lr. `oracle` is source text that defines `loss(p, d)`. `loss` says
    how the script shows its loss: kind 'printed', 'function', 'metric' (a number that is printed, but is not what is
    minimised) or 'none', `form` in words, `scale_known`: whether a common factor of all gradients can be told, and
    where the script computes its loss, `value`: an expression for that of the first step, read `at` its start or end.
    `uniform` is the factor by which the gradients differ from the printed number, where a checker may warn of it.
    `backward` are the line ranges (first, last) of the backward pass with the update.
    """

    name: str
    style: str
    path: Path
    source: str
    anchor: int
    params: dict[str, str]
    start: dict[str, str]
    end: dict[str, str]
    grads: dict[str, str]
    lr: str
    oracle: str
    loss: dict[str, Any]
    backward: tuple[tuple[int, int], ...]
    twins: tuple[Twin, ...]


def apply(source: str, edits: tuple[Edit, ...]) -> str:
    """The source after the edits; raises ValueError where `before` is not on its line exactly once."""
    lines = source.split("\n")
    for edit in edits:
        if lines[edit.line - 1].count(edit.before) != 1:
            raise ValueError(f"line {edit.line}: {edit.before!r} is not there exactly once")
    for edit in edits:
        lines[edit.line - 1] = lines[edit.line - 1].replace(edit.before, edit.after)
    return "\n".join(lines)


def load(path: Path) -> Program:
    """The program in the file `path`, with its metadata from the `.toml` beside it."""
    source = path.read_text(encoding="utf-8")
    meta = tomllib.loads(path.with_suffix(".toml").read_text(encoding="utf-8"))
    oracle = meta["oracle"]
    if oracle.endswith(".py"):
        oracle = (path.parent / oracle).read_text(encoding="utf-8")
    return Program(
        name=path.stem,
        style=meta["style"],
        path=path,
        source=source,
        anchor=meta["anchor"]["line"],
        params=meta["params"],
        start=meta.get("start", {}),
        end=meta.get("end", {}),
        grads=meta.get("grads", {}),
        lr=str(meta["lr"]),
        oracle=oracle,
        loss=meta["loss"],
        backward=tuple((a, b) for a, b in meta["backward"]),
        twins=tuple(_twin(source, entry) for entry in meta.get("twin", [])),
    )


def _twin(source: str, entry: dict[str, Any]) -> Twin:
    edits = tuple(Edit(**e) for e in entry["edits"])
    return Twin(
        id=entry["id"],
        mistake=entry["mistake"],
        edits=edits,
        root=entry["root"],
        root_line=entry["root_line"],
        wrong=tuple(entry["wrong"]),
        severity=entry["severity"],
        loss=entry.get("loss", "loss"),
        scale=entry.get("scale"),
        source=apply(source, edits),
    )


@cache
def programs(folder: str = "styles") -> tuple[Program, ...]:
    """All programs of 'styles' or 'architectures', by name."""
    return tuple(load(p) for p in sorted((ROOT / folder).glob("*.py")) if p.with_suffix(".toml").exists())


def healthy(folder: str = "styles") -> Iterator[tuple[Program, str]]:
    """Each program with its source; no check may find anything in it."""
    for program in programs(folder):
        yield program, program.source


def twins(folder: str = "styles") -> Iterator[tuple[Program, Twin]]:
    """Each broken twin (its text is `twin.source`) with the program it was made from."""
    for program in programs(folder):
        for twin in program.twins:
            yield program, twin
