"""`check` on each program of fixtures/ and examples/, as a user does: every fault at its line, nothing else."""

from __future__ import annotations

import pytest
from doc_blocks import ROOT
from fixture_pieces import PROGRAMS

import backpropdoctor as bd

# the lines that carry an error
FAULTS: dict[str, set[int]] = {
    "two_layer_digits": {78, 79, 98},
    "planar_classifier": {75},
    "planar_classifier_wrong": {75},
    "mnist_softmax_wrong": {75},
    "deep_images_wrong": {101},
    "three_or_seven": {65, 68},
}
# lines that may carry one more: what will fail next behind the empty loop
NEXT = {"two_layer_digits": {99, 100, 101}}


def check(path) -> bd.Report:
    return bd.check(str(path), time_limit=40)


@pytest.fixture(scope="module")
def report_of():
    known: dict[str, bd.Report] = {}

    def get(program: str) -> bd.Report:
        if program not in known:
            known[program] = check(ROOT / "fixtures" / f"{program}.py")
        return known[program]

    return get


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_fault_is_named_at_its_line_and_nothing_else_is(program, report_of):
    report = report_of(program)
    found = {f.line for f in report.findings if f.severity == "error"}
    expected = FAULTS.get(program, set())
    assert expected <= found <= expected | NEXT.get(program, set())
    assert report.status == ("faulty" if expected else "healthy")
    assert report.exit_status == (1 if expected else 0)


@pytest.mark.parametrize("program", [p for p in PROGRAMS if p not in FAULTS])
def test_a_right_program_has_no_warning(program, report_of):
    assert [f for f in report_of(program).findings if f.severity != "note"] == []


def test_the_digits_have_half_gradients_and_right_intermediates(report_of):
    rows = {row.tensor: row for row in report_of("two_layer_digits").checked}
    parameters = [row for row in rows.values() if row.kind == "parameter"]
    assert len(parameters) == 4
    assert [row.ratio for row in parameters] == pytest.approx([0.5] * 4, rel=1e-9)
    assert any(name.startswith("dZ") and row.verdict == "right" for name, row in rows.items())


def test_the_classifier_dies_at_its_step_and_sample(report_of):
    [finding] = [f for f in report_of("planar_classifier").findings if f.severity == "error"]
    assert finding.code.startswith("BD2") and (finding.step, finding.sample) == (451, 196)


def test_the_factor_of_three_or_seven_is_one_warning(report_of):
    warnings = [f for f in report_of("three_or_seven").findings if f.severity == "warning"]
    assert len(warnings) == 1 and "302" in warnings[0].message + warnings[0].measured


def test_the_black_pixels_are_one_note(report_of):
    notes = [f for f in report_of("mnist_softmax").findings if f.code.startswith("BD3")]
    assert [f.severity for f in notes] == ["note"] and "235" in notes[0].message + notes[0].measured


def test_a_program_without_a_loss_says_which_was_used(report_of):
    loss = report_of("mnist_softmax").loss
    assert loss is not None and loss.source == "implied" and "cross-entropy" in loss.name


@pytest.mark.parametrize(("program", "lines"), [("spiral", {43}), ("char_rnn", {41})])
def test_the_examples_are_wrong_at_their_line(program, lines):
    report = check(ROOT / "examples" / f"{program}.py")
    found = {f.line for f in report.findings if f.severity == "error"}
    assert report.status == "faulty" and len(found) == 1 and found <= lines


def test_the_example_layers_are_wrong_in_one():
    report = check(ROOT / "examples" / "layers.py")
    errors = [f for f in report.findings if f.severity == "error"]
    assert errors and all("layernorm" in (f.layer or "") + f.message for f in errors)
    assert any(row.verdict == "right" for row in report.checked)
