"""Where no loss is written down its scale is unknown: a gradient is mended to the scale that the right ones have."""

import textwrap

import pytest

from backpropdoctor.scripts import check_script

ORCHARD = textwrap.dedent("""
    import numpy as np

    rng = np.random.default_rng(12)
    total, few = 40, 8
    trees, ripe = rng.normal(size=(total, 3)), (rng.normal(size=(total, 2)) > 0).astype(float)
    branch, twig = rng.normal(size=(3, 4)) * 0.5, rng.normal(size=(4, 2)) * 0.5
    lift, tip = np.zeros(4), np.zeros(2)


    def sigmoid(z):
        return 1 / (1 + np.exp(-z))


    for year in range(6):
        for k in range(0, total, few):
            x, y = trees[k : k + few], ripe[k : k + few]
            h = sigmoid(x @ branch + lift)
            out = sigmoid(h @ twig + tip)
            d = out - y
            g_twig, g_tip = h.T @ d / few, d.sum(axis=0) / few
            d = d @ twig.T * h * (1 - h)
            g_branch = x.T @ d / few
            g_lift = d.sum(axis=0) / few
            branch -= 0.5 * g_branch
            twig -= 0.5 * g_twig
            lift -= 0.5 * g_lift
            tip -= 0.5 * g_tip
    """)


@pytest.mark.parametrize("broken", [False, True])
def test_the_scale_of_the_others_is_the_right_one(tmp_path, broken):
    right = "g_lift = d.sum(axis=0) / few"
    path = tmp_path / "orchard.py"
    path.write_text(ORCHARD.replace(right, right.replace("few", "total")) if broken else ORCHARD)
    found = [f for f in check_script(str(path)).findings if f.severity == "error"]
    assert [(f.code, f.fix.before, f.fix.after) for f in found] == [("BD102", "total", "few")] * broken
    assert all(f.explanations[0].status == "verified" for f in found)
