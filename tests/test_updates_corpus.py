"""The corpus of healthy programs raises no alarm about its updates."""

from __future__ import annotations

import functools

import pytest
from programs import programs

from backpropdoctor.checks.updates.rerun import rerun
from backpropdoctor.checks.updates.script import check_updates_on_tape
from backpropdoctor.load.understand import recorded_steps, understand
from backpropdoctor.tape.run import FirstSteps, run_script

LONG = {"layers_mini_cnn", "lists_class_nielsen"}  # tapes of more than ten thousand values
PROGRAMS = [p for folder in ("styles", "architectures") for p in programs(folder) if p.name not in LONG]


def test_the_corpus_is_there():
    assert len(PROGRAMS) > 50


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.name)
def test_no_alarm(program, capsys):
    run = run_script(program.path, policy=FirstSteps(3), max_nodes=20_000)
    capsys.readouterr()
    recorded = recorded_steps(run.tape)
    next(understand(recorded), None)
    again = functools.partial(rerun, str(program.path))
    found = check_updates_on_tape(run, [t for t in recorded.trainings if t.parameters], rerun=again)
    assert [(f.code, f.line, f.message) for f in found if f.severity != "note"] == []
