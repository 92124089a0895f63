"""One scale at a statement that feeds several gradients is one root, not one for each."""

import textwrap

from benchmarks.corpus.check_scripts import examined

NET = textwrap.dedent("""
    import numpy as np

    rng = np.random.default_rng(2)
    words = rng.normal(size=(5, 4, 3))
    goal = rng.normal(size=(5, 4, 2))
    M = rng.normal(size=(3, 6)) * 0.5
    c = rng.normal(size=6) * 0.1
    V = rng.normal(size=(6, 2)) * 0.5
    for k in range(12):
        a = words @ M + c
        r = np.maximum(a, 0.0)
        out = r @ V
        loss = ((out - goal) ** 2).mean()
        g = 2 * (out - goal) / out.size
        gV = np.tensordot(r, g, axes=([0, 1], [0, 1]))
        ga = (g @ V.T) * (a > 0)
        rows = ga.reshape(-1, 6)
        gM = words.reshape(-1, 3).T @ rows
        gc = rows.sum(axis=0)
        M -= 0.1 * gM
        c -= 0.1 * gc
        V -= 0.1 * gV
    """)


def line_of(text: str, what: str) -> int:
    return next(k for k, line in enumerate(text.splitlines(), 1) if what in line)


def test_a_scale_where_a_cotangent_gets_another_shape_is_one_root():
    text = NET.replace("rows = ga", "rows = 3 * ga")
    assert examined(text, "net").errors == (line_of(text, "rows = "),)


def test_two_scales_at_two_gradients_are_two_roots():
    text = NET.replace("gM = words", "gM = 3 * words").replace("gc = rows", "gc = 5 * rows")
    assert examined(text, "net").errors == (line_of(text, "gM = "), line_of(text, "gc = "))
