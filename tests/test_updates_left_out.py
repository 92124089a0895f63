"""Parameters that the update leaves out although their gradient is computed: found with the place and the edit, and
never in programs that are right or mean it so."""

from __future__ import annotations

import functools
from itertools import islice

import pytest
from updates_programs.left_out import KEY_MISSING, LEFT_OUT, SLICE_OF_LAYERS, STATEMENT_MISSING

from backpropdoctor.checks.updates.left_names import alike, relation
from backpropdoctor.checks.updates.rerun import rerun
from backpropdoctor.checks.updates.script import check_updates_on_tape
from backpropdoctor.load.understand import recorded_steps, understand
from backpropdoctor.tape.run import FirstSteps, run_script


def findings_of(tmp_path, source, **options):
    path = tmp_path / "train.py"
    path.write_text(source)
    run = run_script(path, policy=FirstSteps(3))
    trainings = list(islice(understand(recorded_steps(run.tape)), 6))
    return check_updates_on_tape(run, trainings, rerun=functools.partial(rerun, str(path)), **options)


@pytest.mark.parametrize("case", LEFT_OUT, ids=lambda c: c.name)
def test_what_is_left_out_is_named_with_its_place_and_edit(case, tmp_path):
    [finding] = findings_of(tmp_path, case.source)
    assert (finding.code, finding.severity, finding.tensors) == ("BD324", "error", case.tensors)
    assert finding.line == case.line
    assert (finding.fix.after if finding.fix else None) == case.after
    assert ("verified" in finding.help) == (case.after is not None)
    assert "times the true gradient" in finding.measured


@pytest.mark.parametrize("case", LEFT_OUT, ids=lambda c: c.name)
def test_the_right_program_is_silent(case, tmp_path):
    assert [f.message for f in findings_of(tmp_path, case.healthy) if f.severity != "note"] == []


OBJECT = '''
"""A small net of one object; its slopes and all else are trainable."""
import numpy as np


class Bumps:
    def __init__(self, rng):
        self.spread, self.weights, self.offset = np.ones(5), rng.normal(size=5), 0.0

    def turn(self, x, y):
        act = np.tanh(np.outer(x, self.spread))
        off = (act @ self.weights + self.offset - y) / len(y)
        loss = 0.5 * len(y) * np.sum(off**2)
        g_weights = act.T @ off
        g_spread = (np.outer(off, self.weights) * (1 - act**2)).T @ x
        self.offset -= 0.1 * off.sum()
        self.spread -= 0.1 * g_spread
        self.weights -= 0.1 * g_weights
        return loss


rng = np.random.default_rng(2)
net, x = Bumps(rng), rng.normal(size=20)
for turn in range(6):
    net.turn(x, np.sin(x))
'''


WITHOUT = OBJECT.replace("        self.weights -= 0.1 * g_weights\n", "")


def test_an_attribute_called_a_weight_is_of_the_object_that_is_trained(tmp_path):
    [finding] = findings_of(tmp_path, WITHOUT)
    assert (finding.code, finding.tensors) == ("BD324", ("net.weights",))


@pytest.mark.parametrize(
    "source", [OBJECT, WITHOUT.replace("else are", "else, but for the weights, are not"), WITHOUT.replace("weights", "centres")]
)
def test_an_attribute_that_may_stay_is_silent(tmp_path, source):
    assert [f.message for f in findings_of(tmp_path, source) if f.severity != "note"] == []


def test_a_program_that_speaks_of_freezing_means_it(tmp_path):
    source = SLICE_OF_LAYERS.source.replace("rate = 0.2", "rate = 0.2  # the first layer is frozen")
    assert findings_of(tmp_path, source) == []


def test_what_is_expected_to_stay_is_not_reported(tmp_path):
    assert findings_of(tmp_path, KEY_MISSING.source, expect_frozen=["p['b2']"]) == []


def test_a_gradient_that_is_not_computed_tells_nothing(tmp_path):
    line = "            d_sesgo_salida = delta.sum(axis=0, keepdims=True)\n"
    assert findings_of(tmp_path, STATEMENT_MISSING.source.replace(line, "")) == []


def test_a_wrong_gradient_tells_nothing(tmp_path):
    source = STATEMENT_MISSING.source.replace("d_sesgo_salida = delta.sum(", "d_sesgo_salida = 3 + delta.sum(")
    assert findings_of(tmp_path, source) == []


def test_a_parameter_that_moves_later_is_not_left_out(tmp_path):
    source = SLICE_OF_LAYERS.source.replace("in netz[1:]", "in netz[1 if runde < 5 else 0 :]")
    assert findings_of(tmp_path, source) == []


def test_the_gradient_of_the_input_is_no_parameters(tmp_path):
    source = SLICE_OF_LAYERS.healthy.replace("    rate = 0.2\n", "").replace("fehler =", "grad_eingabe = None\n    fehler =")
    source = source.replace(
        "    for schicht in netz:\n        schicht.gew", "    grad_eingabe = g\n    for schicht in netz:\n        schicht.gew"
    )
    assert "grad_eingabe = g\n" in source
    assert [f.message for f in findings_of(tmp_path, source) if f.severity != "note"] == []


def test_more_left_out_than_updated_is_a_warning(tmp_path):
    [finding] = findings_of(tmp_path, SLICE_OF_LAYERS.source.replace("netz[1:]", "netz[2:]"))
    assert finding.severity == "warning"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("W2",), ("W1",), True),
        (("self", "bias_out"), ("self", "bias_hidden"), True),
        (("by",), ("bh",), True),
        (("b2",), ("W2",), True),
        (("X",), ("W",), False),
        (("x2",), ("W2",), False),
        (("self", "W2"), ("other", "W1"), False),
    ],
)
def test_names_of_one_pattern(one, other, same):
    assert alike(one, other) is same


def test_how_a_gradient_is_called_after_its_parameter():
    assert relation(("W2",), ("dW2",)) == relation(("b1",), ("db1",)) == ("d", "")
    assert relation(("params", 3), ("grads", 3)) == ("params", "grads")
    assert relation(("W2",), ("delta",)) is None


def test_a_list_of_arrays_of_several_shapes_is_read_beside(tmp_path):
    rows = ["medidas = [[1.0, 2.0], [3.0]]", "norma = sum(map(sum, medidas)) + np.sum(perdida)"]
    more = "".join(f"            {row}\n" for row in rows)
    source = STATEMENT_MISSING.source.replace("        return perdida\n", more + "        return norma\n")
    assert "norma" in source
    [finding] = findings_of(tmp_path, source)
    assert finding.tensors == ("self.sesgo_salida",)
