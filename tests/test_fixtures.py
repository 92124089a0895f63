"""What fixtures/README.md says of each program, measured with a complex step and with central differences by hand."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest
from fixture_pieces import FOLDER, PROGRAMS, Params, load, pieces_of

import backpropdoctor as bd

SOME = "wrong by no single factor"
BLACK_PIXELS = 235

RATIOS: dict[str, dict[str, float | str]] = {
    "two_layer_digits": {"W1": 0.5, "b1": 0.5, "W2": 0.5, "b2": 0.5},
    "planar_classifier_wrong": dict.fromkeys(("W1", "b1", "W2", "b2"), SOME),
    "mnist_softmax_wrong": {"W1": SOME, "b1": SOME},
    "deep_images_wrong": {"b1": 209, "b2": 209, "b3": 209},
    "three_or_seven": {"W3": 302, "b3": 302, "W2": SOME, "b2": SOME, "W1": SOME, "b1": SOME},
}


def complex_step(loss, params: Params, name: str, u: np.ndarray) -> float:
    return loss({**params, name: params[name] + 1e-200j * u}).imag / 1e-200


def central(loss, params: Params, name: str, u: np.ndarray) -> float:
    h = 1e-5
    ahead, behind = ({**params, name: params[name] + s * h * u} for s in (1, -1))
    return (loss(ahead) - loss(behind)) / (2 * h)


@pytest.mark.parametrize("program", PROGRAMS)
def test_each_gradient_stands_to_the_truth_as_the_table_says(program):
    pieces = pieces_of(program)
    gradient = pieces.gradient(pieces.params)
    rng = np.random.default_rng(0)
    for name, value in pieces.params.items():
        assert gradient[name].size == value.size
        ratios = []
        for _ in range(2):
            u = rng.standard_normal(value.shape) / np.sqrt(value.size)
            truth = complex_step(pieces.loss, pieces.params, name, u)
            assert central(pieces.loss, pieces.params, name, u) == pytest.approx(truth, rel=1e-5, abs=1e-9)
            ratios.append(np.sum(gradient[name].reshape(value.shape) * u) / truth)
        expected = RATIOS.get(program, {}).get(name, 1.0)
        if expected is SOME:
            assert abs(ratios[0] / ratios[1] - 1) > 1e-4 or (value.size == 1 and abs(ratios[0] - 1) > 1e-4), name
        else:
            assert ratios == pytest.approx([expected] * 2, rel=1e-9), name


def test_the_oracle_itself_would_notice_a_wrong_factor():
    pieces = pieces_of("two_layer_digits_right")
    g, u = pieces.gradient(pieces.params)["W1"], np.ones((20, 64))
    truth = complex_step(pieces.loss, pieces.params, "W1", u)
    assert np.sum(g * u) == pytest.approx(truth, rel=1e-9)
    assert np.sum(1.000001 * g * u) != pytest.approx(truth, rel=1e-9)


def test_the_update_loop_of_the_digits_runs_over_nothing_and_hides_a_wrong_key():
    m = load("two_layer_digits")
    np.random.seed(4)
    first = m.initialise(64, 20, 10)
    np.random.seed(4)
    last = m.modele(m.X_train, m.Y_train, (64, 20, 10), nb_iterations=3)
    assert all(np.array_equal(first[name], last[name]) for name in first)
    three_layers = dict.fromkeys(("W1", "b1", "W2", "b2", "W3", "b3"), np.zeros((1, 1)))
    with pytest.raises(KeyError, match="W1"):
        m.mise_a_jour(three_layers, {"dW1": 0.0, "db1": 0.0}, 0.1)


def test_its_twin_learns():
    m = load("two_layer_digits_right")
    np.random.seed(4)
    params = m.modele(m.X_train, m.Y_train, (64, 20, 10), nb_iterations=150)
    A1, _ = m.avant(m.X_train, params["W1"], params["b1"], "relu")
    A2, _ = m.avant(A1, params["W2"], params["b2"], "sigmoide")
    assert m.calcule_cout(A2, m.Y_train) < 1


def test_the_classifier_meets_a_saturated_sample_at_iteration_451():
    m = load("planar_classifier")
    model = m.PlanarClassifier(m.X, m.Y, [5], 0)
    with np.errstate(all="ignore"):
        for i in range(452):
            model.forward_pass()
            model.backward_pass()
            assert np.isfinite(model.dA[2]).all() == (i < 451)
            model.update()
    assert np.argwhere(~np.isfinite(model.dA[2])).tolist() == [[0, 196]]
    assert model.A[2][0, 196] == 1 and m.Y[0, 196] == 0 and np.isposinf(model.dA[2][0, 196])
    assert np.isnan(model.dZ[2][0, 196]) and np.isnan(model.W[2]).all() and np.isnan(model.b[2]).all()


def test_its_twin_stays_finite_to_the_end():
    m = load("planar_classifier_right")
    assert all(np.isfinite(a).all() for a in (*m.classifier.W.values(), *m.classifier.b.values()))
    assert np.isfinite(m.classifier.cost())


@pytest.mark.parametrize("program", ["mnist_softmax", "mnist_softmax_wrong"])
def test_weights_under_black_pixels_stay_and_all_others_move(program):
    m = load(program)
    black = ~m.x_train.any(axis=0)
    assert black.sum() == BLACK_PIXELS
    assert np.array_equal((m.w[1] == m.first).all(axis=0), black)
    assert not (m.w[1] == m.first)[:, ~black].any()


def test_the_deep_network_has_a_predict_that_cannot_run_and_a_symmetric_start_on_offer():
    m = load("deep_images")
    with pytest.raises(NameError):
        m.predict({}, m.X_train)
    assert not any(value.any() for value in m.init_deep([4, 3, 1], kind="zeros").values())


def test_the_loss_of_three_or_seven_falls_all_the_same():
    m = load("three_or_seven")
    assert m.history[-1] < m.history[0] / 5


def rows() -> list[tuple[str, int, str]]:
    """The places that the table names: (file, line, statement)."""
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    return [(f, int(n), s) for f, n, s in re.findall(r"`(\w+\.py):(\d+)` `([^`]+)`", text)]


@pytest.mark.parametrize(("file", "line", "statement"), rows())
def test_the_table_names_the_line_that_holds_the_statement(file, line, statement):
    assert statement in (FOLDER / file).read_text(encoding="utf-8").splitlines()[line - 1]


def test_the_table_names_every_program():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert rows() and all(f"`{name}.py`" in text for name in PROGRAMS)


@pytest.mark.parametrize("program", ["two_layer_digits_right", "planar_classifier_right"])
def test_a_program_runs_from_any_folder_with_numpy_alone(program, tmp_path):
    code = (
        "import runpy, sys; sys.modules['matplotlib'] = None; sys.path.insert(0, sys.argv[1]); "
        "runpy.run_path(sys.argv[2], run_name='__main__')"
    )
    command = [sys.executable, "-c", code, str(FOLDER), f"{FOLDER / program}.py"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "iteration" in ran.stdout


@pytest.mark.parametrize("program", PROGRAMS)
def test_check_gradient_says_what_the_oracle_says(program):
    pieces = pieces_of(program)
    before = {name: value.tobytes() for name, value in pieces.params.items()}
    report = bd.check_gradient(pieces.loss, pieces.gradient, pieces.params)
    verdicts = {row.tensor: row.verdict for row in report.checked}
    ratios = {row.tensor: row.ratio for row in report.checked}
    expected = RATIOS.get(program, {})
    assert verdicts == {name: "wrong" if name in expected else "right" for name in pieces.params}
    assert report.ok is (not expected)
    for name, ratio in expected.items():
        if ratio is not SOME:
            assert ratios[name] == pytest.approx(ratio, rel=1e-6)
        elif pieces.params[name].size > 1:
            assert ratios[name] is None
    assert before == {name: value.tobytes() for name, value in pieces.params.items()}
