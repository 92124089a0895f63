"""Dead updates of whole scripts: every cause in three styles with its exact line, and the look-alikes that are
right."""

from __future__ import annotations

import functools
from itertools import islice
from pathlib import Path

import pytest
from updates_programs import BROKEN, HEALTHY
from updates_programs.runs import healthy_run

from backpropdoctor.checks.updates.rerun import rerun
from backpropdoctor.checks.updates.script import check_updates_on_tape
from backpropdoctor.load.understand import recorded_steps, understand
from backpropdoctor.tape.run import FirstSteps, run_script

ROOT = Path(__file__).resolve().parent.parent
SEEDS = ROOT.parent / "shared" / "seeds"


def findings_of(path, capsys=None, steps=4, **options):
    run = run_script(path, policy=FirstSteps(steps))
    if capsys is not None:
        capsys.readouterr()
    trainings = list(islice(understand(recorded_steps(run.tape)), 6))
    return check_updates_on_tape(run, trainings, rerun=functools.partial(rerun, str(path)), **options)


def last_words(names):
    return {n.removeprefix("self.").removeprefix("params['").removeprefix("p['").removesuffix("']") for n in names}


@pytest.mark.parametrize("case", BROKEN, ids=lambda c: f"{c.code}-{c.style}")
def test_every_cause_is_named_with_its_line(case, tmp_path, capsys):
    path = tmp_path / "train.py"
    path.write_text(case.source)
    found = findings_of(path, capsys)
    assert [f.code for f in found] == [case.code], [(f.code, f.line, f.message) for f in found]
    [finding] = found
    if "# <-" in case.source:
        assert finding.line == case.line, finding.message
    wanted = set(case.tensors)
    assert wanted <= last_words(finding.tensors) | set(finding.tensors), finding.tensors
    assert finding.explanations or finding.severity == "note"
    assert all(text and text == text.strip() and not text.endswith(".") for text in (finding.message, finding.measured))


@pytest.mark.parametrize("case", HEALTHY, ids=range(len(HEALTHY)))
def test_what_is_right_is_silent(case, tmp_path, capsys):
    path = tmp_path / "train.py"
    path.write_text(case.source)
    assert [(f.code, f.line, f.message) for f in findings_of(path, capsys)] == []


def test_every_cause_has_three_programs_in_three_styles():
    by_code = {}
    for case in BROKEN:
        by_code.setdefault(case.code, set()).add(case.style)
    assert all(styles == {"functions", "inline", "network"} for styles in by_code.values()), by_code


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("optimiser", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_healthy_runs_raise_no_alarm(activation, dtype, optimiser, seed, tmp_path, capsys):
    path = tmp_path / "train.py"
    path.write_text(healthy_run(activation, dtype, optimiser, seed))
    assert [(f.code, f.line, f.message) for f in findings_of(path, capsys) if f.severity != "note"] == []


# ------------------------------------------------------------------ what fails next, and the mended copy


def test_what_fails_next_is_said_and_the_mended_copy_is_run(fixtures_folder, capsys):
    [finding] = findings_of(fixtures_folder / "two_layer_digits.py", capsys)
    assert (finding.code, finding.line, finding.column) == ("BD301", 98, 5)
    assert finding.message == (
        "the cout never moves: `for l in reversed(range(1, L - 1))` at line 98 runs over nothing (range(1, 1), L = 2), "
        'so W1, b1, W2, b2 are never updated; and once it runs, `grads["W1"]` will raise KeyError: '
        "the keys are dW1, db1, dW2, db2"
    )
    assert finding.tensors == ("W1", "b1", "W2", "b2")
    assert [(f.line, f.before, f.after) for f in finding.fixes] == [
        (98, "L - 1", "L+1"),
        (99, '"W"', '"dW"'),
        (100, '"b"', '"db"'),
        (101, finding.fixes[3].before, ""),
    ]
    assert "verified" in finding.help and "drop line 101" in finding.help
    assert [text for text in finding.evidence["next"] if "parameters" in text] == [
        '`parameters["A1"]` will raise KeyError: the keys are W1, b1, W2, b2'
    ]


def test_the_twin_without_the_fault_has_one_note_at_most(fixtures_folder, capsys):
    found = findings_of(fixtures_folder / "two_layer_digits_right.py", capsys)
    assert [(f.code, f.severity, f.evidence) for f in found] == [("BD314", "note", {"inputs": 3, "of": 64})]


def test_a_mended_copy_that_still_raises_is_not_called_verified(tmp_path, capsys):
    broken = next(c for c in BROKEN if c.code == "BD301" and c.style == "functions")
    path = tmp_path / "train.py"
    path.write_text(broken.source.replace('lr * grads["dW" + str(k)]', 'lr * grads["W" + str(k)] + undefined'))
    [finding] = findings_of(path, capsys)
    assert finding.code == "BD301"
    assert '`grads["W1"]` will raise KeyError: the keys are dW2, db2, dW1, db1' in finding.message
    assert "verified" not in finding.help and "NameError" in finding.help
    assert "`undefined` will raise NameError" in finding.evidence["next"]


def test_without_a_second_run_nothing_is_said_of_code_that_never_ran(tmp_path, capsys):
    broken = next(c for c in BROKEN if c.code == "BD301" and c.style == "inline")
    path = tmp_path / "train.py"
    path.write_text(broken.source)
    run = run_script(path, policy=FirstSteps(4))
    assert check_updates_on_tape(run, list(islice(understand(recorded_steps(run.tape)), 6))) == []


def test_frozen_parameters_are_not_spoken_of(tmp_path, capsys):
    broken = next(c for c in BROKEN if c.code == "BD305" and c.style == "network")
    path = tmp_path / "train.py"
    path.write_text(broken.source)
    assert findings_of(path, capsys, expect_frozen=["self.W1"]) == []


def test_a_missing_activation_derivative_is_no_dead_update(tmp_path, capsys):
    path = tmp_path / "train.py"
    path.write_text((ROOT / "tests/updates_programs/functions.py").read_text().replace(" * (z1 > 0)", ""))
    assert findings_of(path, capsys) == []


@pytest.mark.parametrize("name", ["planar_classifier", "deep_images", "three_or_seven"])
def test_the_fixtures_without_a_dead_update_are_silent(name, fixtures_folder, capsys):
    assert findings_of(fixtures_folder / f"{name}.py", capsys, steps=3) == []


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the source documents' programs are not beside this checkout")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("seed0_digits", [("BD301", "error", 162)]),
        ("seed1_planar", []),
        ("seed2_mnist", [("BD314", "note", 86)]),
        ("seed3_deep", []),
        ("seed4_mlp3", []),
    ],
)
def test_the_source_documents(name, expected, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(SEEDS / "stubs"))
    monkeypatch.chdir(SEEDS)
    found = findings_of(SEEDS / f"{name}.py", capsys, steps=3 if name != "seed2_mnist" else 1)
    assert [(f.code, f.severity, f.line) for f in found] == expected
    if name == "seed0_digits":
        assert found[0].message == (
            "the cost never moves: `for i in reversed(range(1, L-1))` at line 162 runs over nothing "
            "(range(1, 1), L = 2), so W1, b1, W2, b2 are never updated; and once it runs, "
            '`grads["W1"]` will raise KeyError: '
            "the keys are dW1, db1, dW2, db2"
        )
    if name == "seed2_mnist":
        assert found[0].evidence["inputs"] == 235
