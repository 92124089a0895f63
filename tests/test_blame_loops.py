"""What a loop hands from turn to turn is wrong because of one statement: that one is blamed, and mended, wherever it stands."""

import textwrap

import pytest

from backpropdoctor.scripts import check_script
from benchmarks.corpus.check_scripts import examined

CELL = textwrap.dedent("""
    import numpy as np

    rng = np.random.default_rng(8)
    seq = rng.normal(size=(3, 6, 3))
    goal = rng.normal(size=(6, 2))
    K = rng.normal(size=(3, 2)) * 0.7
    R = rng.normal(size=(2, 2)) * 0.7
    G = rng.normal(size=(3, 2)) * 0.7

    for it in range(12):
        s, u = np.zeros((6, 2)), np.zeros((6, 2))
        tape = []
        for x in seq:
            keep = 1 / (1 + np.exp(-(x @ G)))
            new = np.tanh(x @ K + u @ R)
            old = s
            s = keep * old + (1 - keep) * new
            tape.append((x, u, old, keep, new, s))
            u = np.tanh(s)
        loss = np.sum((u - goal) ** 2) / 6
        gK, gR, gG = np.zeros_like(K), np.zeros_like(R), np.zeros_like(G)
        gu, gs = 2 * (u - goal) / 6, np.zeros_like(s)
        for x, before, old, keep, new, after in tape[::-1]:
            gs = gs + gu * (1 - np.tanh(after) ** 2)
            g_keep = gs * (old - new) * keep * (1 - keep)
            g_new = gs * (1 - keep) * (1 - new ** 2)
            gK += x.T @ g_new
            gR += before.T @ g_new
            gG += x.T @ g_keep
            gu = g_new @ R.T
            gs = gs * keep
        K -= 0.1 * gK
        R -= 0.1 * gR
        G -= 0.1 * gG
    """)

FAULTS = {
    "no derivative of the output": ("gu * (1 - np.tanh(after) ** 2)", "gu", "gu *"),
    "no derivative of the candidate": ("gs * (1 - keep) * (1 - new ** 2)", "gs * (1 - keep)", "(1 - new ** 2)"),
    "a factor left out": ("gs * (1 - keep) * (1 - new", "gs * (1 - new", "keep"),
    "no step back in time": ("gs = gs * keep", "gs = gs", "gs * keep"),
    "what comes from later is taken away": (
        "gs + gu * (1 - np.tanh(after) ** 2)",
        "gu * (1 - np.tanh(after) ** 2) - gs",
        "gu * (1 - np.tanh(after) ** 2) + gs",
    ),
    "another gate": ("gs = gs * keep", "gs = gs * new", "keep"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_statement_that_goes_wrong_first_is_blamed(name):
    right, wrong, _ = FAULTS[name]
    lines = CELL.replace(right, wrong).splitlines()
    [line] = examined("\n".join(lines), "cell").errors
    assert lines[line - 1].strip().startswith(("gs", "g_new")) and wrong in lines[line - 1]


@pytest.mark.parametrize("name", ["another gate", "what comes from later is taken away"])
def test_it_is_mended_where_it_stands(tmp_path, name):
    right, wrong, after = FAULTS[name]
    path = tmp_path / "cell.py"
    path.write_text(CELL.replace(right, wrong))
    [finding] = check_script(str(path)).findings
    assert [x.after for x in finding.fixes] == [after]
    assert [e.status for e in finding.explanations] == ["verified"]


def test_a_right_loop_is_healthy(tmp_path):
    path = tmp_path / "cell.py"
    path.write_text(CELL)
    assert not check_script(str(path)).findings


BACK_IN_TIME = """
import numpy as np

gen = np.random.default_rng(4)
W, R, O = gen.normal(size=(2, 3)), 0.5 * gen.normal(size=(3, 3)), gen.normal(size=(3, 1))
notes, aims = gen.normal(size=(5, 2)), gen.normal(size=(5, 1))
for lap in range(10):
    h, past, cost = np.zeros(3), [np.zeros(3)], 0.0
    for note, aim in zip(notes, aims):
        h = np.tanh(note @ W + h @ R)
        past.append(h)
        cost += 0.5 * np.sum((h @ O - aim) ** 2)
    later = np.zeros(3)
    gW, gR, gO = np.zeros_like(W), np.zeros_like(R), np.zeros_like(O)
    for t in range(4, -1, -1):
        off = past[t + 1] @ O - aims[t]
        own = (O @ off + R @ later) * (1 - past[t + 1] ** 2)
        gO += np.outer(past[t + 1], off)
        gR += np.outer(past[t], own)
        gW += np.outer(notes[t], own)
        later = {later}
    W, R, O = W - 0.05 * gW, R - 0.05 * gR, O - 0.05 * gO
"""


def test_a_name_that_is_given_its_own_value_is_blamed_though_it_holds_a_constant(tmp_path):
    path = tmp_path / "train.py"
    path.write_text(BACK_IN_TIME.format(later="later"))
    [finding] = check_script(str(path)).findings
    assert (finding.code, finding.line, [x.after for x in finding.fixes]) == ("BD118", 21, ["own"])
    path.write_text(BACK_IN_TIME.format(later="own"))
    assert not check_script(str(path)).findings
