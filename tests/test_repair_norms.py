"""The backward pass of a normalisation in several statements: the wrong one is mended, not one that makes up for it."""

import textwrap

import pytest

from backpropdoctor.scripts import check_script

NET = textwrap.dedent("""
    import numpy as np

    rng = np.random.default_rng(12)
    feats = rng.normal(size=(7, 3))
    goal = rng.normal(size=(7, 2))
    U = rng.normal(size=(3, 4)) * 0.8
    V = rng.normal(size=(4, 2)) * 0.8


    def standardise(v):
        scale = 1 / np.sqrt(v.var(axis=1, keepdims=True) + 1e-5)
        return (v - v.mean(axis=1, keepdims=True)) * scale, scale


    def unstandardise(g, n, scale):
        rest = g - g.mean(axis=1, keepdims=True)
        rest = rest - n * np.mean(g * n, axis=1, keepdims=True)
        gv = scale * rest
        return gv


    for turn in range(12):
        n, scale = standardise(feats @ U)
        out = n @ V
        loss = np.sum((out - goal) ** 2) / 7
        g = 2 * (out - goal) / 7
        gV = n.T @ g
        gU = feats.T @ unstandardise(g @ V.T, n, scale)
        U -= 0.1 * gU
        V -= 0.1 * gV
    """)

FAULTS = {
    "another variable": ("rest = rest - n *", "rest = g - n *", ("g", "rest")),
    "a factor left out": ("gv = scale * rest", "gv = rest", ("rest", "rest * scale")),
    "a mean without what it is taken from": (
        "rest = g - g.mean(axis=1, keepdims=True)",
        "rest = -g.mean(axis=1, keepdims=True)",
        ("-g.mean(axis=1, keepdims=True)", "-g.mean(axis=1, keepdims=True) + g"),
    ),
    "the mean of another size": ("g.mean(axis=1", "out.mean(axis=1", ("out", "g")),
    "a term left out": ("rest = rest - n * np.mean(g * n, axis=1, keepdims=True)", "rest = rest", ("rest", "rest - n * (")),
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_wrong_statement_is_mended(tmp_path, name):
    right, wrong, (before, after) = FAULTS[name]
    text = NET.replace(right, wrong)
    path = tmp_path / "net.py"
    path.write_text(text)
    [finding] = check_script(str(path)).findings
    assert wrong in text.splitlines()[finding.line - 1]
    [fix] = finding.fixes
    assert fix.before == before and fix.after.startswith(after)
    assert [e.status for e in finding.explanations] == ["verified"]
