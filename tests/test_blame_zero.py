"""A first cotangent that is exactly zero: one finding where it is made, none for each of the parameters behind it."""

import textwrap

import pytest

from backpropdoctor.scripts import check_script

NET = textwrap.dedent("""
    import numpy as np

    rng = np.random.default_rng(5)
    data = rng.normal(size=(12, 3))
    wanted = np.tanh(data[:, :2])


    def error_of(guess, truth):
        return (guess - truth) / len(truth)


    A = rng.normal(size=(3, 4)) * 0.5
    B = rng.normal(size=(4, 2)) * 0.5
    for turn in range(12):
        hidden = np.tanh(data @ A)
        guess = hidden @ B
        loss = 0.5 * np.sum((guess - wanted) ** 2) / 12
        print("loss", loss)
        delta = error_of(guess, wanted)
        gB = hidden.T @ delta
        gA = data.T @ ((delta @ B.T) * (1 - hidden ** 2))
        B -= 0.1 * gB
        A -= 0.1 * gA
    """)


@pytest.mark.parametrize(
    ("before", "after"),
    [("error_of(guess, wanted)", "error_of(guess, guess)"), ("error_of(guess, wanted)", "(guess - guess) / 12")],
)
def test_one_finding_where_the_first_zero_is_made(tmp_path, before, after):
    text = NET.replace(before, after)
    path = tmp_path / "net.py"
    path.write_text(text)
    [finding] = check_script(str(path)).findings
    assert after in text.splitlines()[finding.line - 1]
    assert [(x.before, x.after) for x in finding.fixes] == [("guess", "wanted")]
    assert [e.status for e in finding.explanations] == ["verified"]


def test_a_path_cut_off_for_one_parameter_is_still_told_by_itself(tmp_path):
    path = tmp_path / "net.py"
    path.write_text(NET.replace("gA = data.T @", "gA = 0 * data.T @"))
    lines = {f.line for f in check_script(str(path)).findings}
    assert lines == {NET.splitlines().index(next(x for x in NET.splitlines() if "gA = " in x)) + 1}


LAYERED = textwrap.dedent("""
    import numpy as np

    rng = np.random.default_rng(6)


    class Sheet:
        def __init__(self, a, b):
            self.K, self.k = rng.normal(size=(a, b)) * 0.5, np.zeros(b)

        def go(self, x):
            self.x = x
            return x @ self.K + self.k

        def back(self, d, pace):
            dx = d @ self.K.T
            self.K -= pace * self.x.T @ d
            self.k -= pace * d.sum(0)
            return dx


    def miss(guess, truth):
        return np.mean((guess - truth) ** 2)


    def slope_of_miss(guess, truth):
        return 2 * (guess - truth) / truth.size


    data, truth = rng.normal(size=(9, 3)), rng.normal(size=(9, 2))
    one, two = Sheet(3, 4), Sheet(4, 2)
    for turn in range(12):
        bent = np.tanh(one.go(data))
        guess = two.go(bent)
        loss = miss(guess, truth)
        one.back(two.back(slope_of_miss(guess, truth), 0.1) * (1 - bent ** 2), 0.1)
    """)


def test_a_zero_that_is_the_same_in_every_step_is_found_in_the_step_looked_at(tmp_path):
    text = LAYERED.replace("return 2 * (guess - truth)", "return 2 * (truth - truth)")
    path = tmp_path / "net.py"
    path.write_text(text)
    [finding] = check_script(str(path)).findings
    assert "truth - truth" in text.splitlines()[finding.line - 1]
    assert [(x.before, x.after) for x in finding.fixes] == [("truth", "guess")]
