"""A loop of the backward pass over too few turns: its header is blamed and mended, what stands in it is right as it is."""

import textwrap

import pytest

from backpropdoctor.diagnose.repair import search
from backpropdoctor.scripts import check_script

HEAD = "import numpy as np\nrng = np.random.default_rng(4)\n"

BACK_IN_TIME = """
    beats = rng.normal(size=(4, 3, 2))
    tone = rng.normal(size=(3, 1))
    A = rng.normal(size=(2, 3)) * 0.5
    B = rng.normal(size=(3, 3)) * 0.4
    C = rng.normal(size=(3, 1)) * 0.5
    for epoch in range(8):
        hidden = [np.zeros((3, 3))]
        for beat in beats:
            hidden.append(np.tanh(beat @ A + hidden[-1] @ B))
        miss = hidden[-1] @ C - tone
        loss = (miss**2).mean()
        g = 2 * miss / miss.size
        dC, g = hidden[-1].T @ g, g @ C.T
        dA, dB = np.zeros_like(A), np.zeros_like(B)
        for k in range(3, -1, -1):
            g = g * (1 - hidden[k + 1] ** 2)
            dA += beats[k].T @ g
            dB += hidden[k].T @ g
            g = g @ B.T
        A -= 0.1 * dA
        B -= 0.1 * dB
        C -= 0.1 * dC
    """

LAYERS = """
    class Slab:
        def __init__(self, n, m):
            self.kernel, self.slope = rng.normal(size=(n, m)) * 0.5, np.zeros((n, m))

        def run(self, x):
            self.x, self.y = x, np.tanh(x @ self.kernel)
            return self.y

        def back(self, g):
            g = g * (1 - self.y**2)
            self.slope = self.x.T @ g
            return g @ self.kernel.T

    X, Y = rng.normal(size=(9, 3)), rng.normal(size=(9, 2)) * 0.3
    slabs = [Slab(3, 4), Slab(4, 4), Slab(4, 2)]
    for epoch in range(8):
        y = X
        for slab in slabs:
            y = slab.run(y)
        loss = ((y - Y) ** 2).sum()
        g = 2 * (y - Y)
        for slab in slabs[::-1]:
            g = slab.back(g)
        for slab in slabs:
            slab.kernel -= 0.01 * slab.slope
    """

LIST = """
    X, Y = rng.normal(size=(9, 3)), rng.normal(size=(9, 2))
    M = [rng.normal(size=s) * 0.5 for s in ((3, 4), (4, 4), (4, 2))]

    def learn(eta):
        acts = [X]
        for m in M:
            acts.append(np.tanh(acts[-1] @ m))
        loss = 0.5 * np.sum((acts[-1] - Y) ** 2) / len(X)
        slopes = [np.zeros(m.shape) for m in M]
        g = (acts[-1] - Y) / len(X)
        for k in range(1, len(M) + 1):
            g = g * (1 - acts[-k] ** 2)
            slopes[-k] = acts[-k - 1].T @ g
            g = g @ M[-k].T
        for m, s in zip(M, slopes):
            m -= eta * s
        return loss

    for epoch in range(8):
        print(learn(0.1))
    """

FAULTS = {
    "the first moment is left out": (BACK_IN_TIME, "range(3, -1, -1)", "range(3, 0, -1)", "-1"),
    "the first layer is left out": (LAYERS, "slabs[::-1]", "slabs[:0:-1]", ""),
    "the first matrix of a list is left out": (LIST, "len(M) + 1", "len(M)", "len(M) + 1"),
}


def findings(tmp_path, text):
    path = tmp_path / "turns.py"
    path.write_text(HEAD + textwrap.dedent(text))
    return check_script(str(path)).findings


@pytest.mark.parametrize("name", FAULTS)
def test_the_header_of_the_loop_is_blamed_and_mended(tmp_path, monkeypatch, name):
    monkeypatch.setattr(search, "EFFORT", 2000)  # no edit of the statements in the loop is looked for any longer
    text, right, wrong, after = FAULTS[name]
    broken = text.replace(right, wrong)
    [finding] = findings(tmp_path, broken)
    assert finding.code == "BD117"
    assert (HEAD + broken).splitlines()[finding.line - 1].strip().startswith("for") and wrong in finding.message
    assert [fix.after for fix in finding.fixes] == [after]
    assert [e.status for e in finding.explanations] == ["verified"]


@pytest.mark.parametrize("text", [BACK_IN_TIME, LAYERS, LIST])
def test_a_loop_over_all_turns_is_healthy(tmp_path, text):
    assert not findings(tmp_path, text)


def test_a_layer_that_is_frozen_on_purpose_is_not_accused(tmp_path):
    frozen = LIST.replace("zip(M, slopes):", "zip(M[1:], slopes[1:]):").replace("len(M) + 1", "len(M)")
    assert not findings(tmp_path, frozen)
