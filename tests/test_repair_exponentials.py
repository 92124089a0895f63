"""A sign inside an exponential is no sign of the whole: what it stands in is another derivative."""

from __future__ import annotations

SOFTPLUS = """
import numpy as np

rng = np.random.default_rng(21)
wine = rng.normal(size=(50, 6))
price = np.log1p(np.exp(wine[:, 0] - wine[:, 4]))
P, R = rng.normal(size=(6, 5)) * 0.5, rng.normal(size=5) * 0.5
for week in range(20):
    u = wine @ P
    g = np.log1p(np.exp(u))
    guess = g @ R
    cost = np.mean((guess - price) ** 2)
    e = 2 * (guess - price) / len(price)
    du = np.outer(e, R) / (1 + np.exp(-u))
    R -= 0.1 * (g.T @ e)
    P -= 0.1 * (wine.T @ du)
"""


def test_it_is_named_so_and_what_is_blamed_is_not_called_right(checked):
    assert not checked(SOFTPLUS).findings
    report = checked(SOFTPLUS.replace("np.exp(-u)", "np.exp(u)"))
    [finding] = report.findings
    assert (finding.code, finding.line, finding.fixes[0].after) == ("BD106", 14, "-u")
    assert finding.message.startswith("`1 / (1 + np.exp(u))` in `du` is not the derivative")
    assert "du" not in {c.tensor for c in report.checked if c.verdict == "right"}
