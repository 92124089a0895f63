"""One cause is one line: what several wrong gradients have in common is blamed, in styles that no fixture has."""

import textwrap

import pytest

from benchmarks.corpus.check_scripts import examined

BLOCKS = textwrap.dedent("""
    import numpy as np

    rng = np.random.default_rng(3)
    X = rng.normal(size=(24, 6))
    T = np.sin(X[:, :2]) + 0.3 * X[:, 2:4]


    class Block:
        def __init__(self, width, inner):
            self.A = rng.normal(size=(width, inner)) * 0.4
            self.B = rng.normal(size=(inner, width)) * 0.4

        def run(self, x):
            self.x = x
            self.h = np.tanh(x @ self.A)
            return INSIDE + self.h @ self.B

        def back(self, g):
            self.gB = self.h.T @ g
            gz = (g @ self.B.T) * (1 - self.h ** 2)
            self.gA = self.x.T @ gz
            return BACK + gz @ self.A.T

        def step(self, lr):
            self.A -= lr * self.gA
            self.B -= lr * self.gB


    blocks = [Block(6, 5) for _ in range(3)]
    head = rng.normal(size=(6, 2)) * 0.3

    for epoch in range(20):
        a = X
        for b in blocks:
            a = OUTSIDE + b.run(a)
        out = a @ head
        loss = np.mean((out - T) ** 2)
        g = 2 * (out - T) / out.size
        g_head = a.T @ g
        g = g @ head.T
        for b in reversed(blocks):
            g = AGAIN + b.back(g)
        head -= 0.05 * g_head
        for b in blocks:
            b.step(0.05)
    """)


def blocks(inside: bool, missing: bool = False) -> str:
    parts = {"INSIDE": "x", "BACK": "g"} if inside else {"OUTSIDE": "a", "AGAIN": "g"}
    text = BLOCKS
    for word in ("INSIDE", "BACK", "OUTSIDE", "AGAIN"):
        kept = word in parts and not (missing and word in ("BACK", "AGAIN"))
        text = text.replace(f"{word} + ", f"{parts[word]} + " if kept else "")
    return text


def line_of(source: str, text: str) -> int:
    [number] = [k for k, line in enumerate(source.splitlines(), 1) if text in line]
    return number


@pytest.mark.parametrize("inside", [True, False])
def test_the_input_of_residual_blocks_is_no_parameter(inside):
    outcome = examined(blocks(inside), "blocks")
    assert outcome.errors == ()
    assert outcome.loss == "loss"


@pytest.mark.parametrize(("inside", "where"), [(True, "return gz @ self.A.T"), (False, "g = b.back(g)")])
def test_a_missing_skip_is_blamed_where_the_forward_pass_adds(inside, where):
    source = blocks(inside, missing=True)
    assert examined(source, "blocks").errors == (line_of(source, where),)


NUMBERS = textwrap.dedent("""
    import math

    u, v, w, c = 0.3, -0.2, 0.5, 0.1
    rows = [(0.5, 1.2), (1.5, -0.3)]
    for turn in range(30):
        x, t = rows[turn % 2]
        h = math.tanh(u * x)
        p = v * h + c
        q = w * h + c
        cost = 0.5 * (p - t) ** 2 + 0.5 * (q - 0.4) ** 2
        ep = p - t
        eq = q - 0.4
        gv = ep * h
        gw = eq * h
        gc = ep + eq
        eh = ep * v + eq * w
        gu = eh * (1 - h ** 2) * x
        u -= 0.1 * gu
        v -= 0.1 * gv
        w -= 0.1 * gw
        c -= 0.1 * gc
    """)


def test_the_wrong_sign_of_one_error_of_two_is_one_root():
    source = NUMBERS.replace("ep = p - t\n", "ep = t - p\n")
    assert examined(NUMBERS, "numbers").errors == ()
    assert examined(source, "numbers").errors == (line_of(source, "ep = t - p"),)


CACHE = textwrap.dedent("""
    import numpy as np

    rng = np.random.default_rng(1)
    data = rng.normal(size=(30, 3))
    goal = np.tanh(data @ rng.normal(size=(3, 2)))
    w = {"a": rng.normal(size=(3, 4)) * 0.5, "b": rng.normal(size=(4, 2)) * 0.5}


    def ahead(w, data):
        pre = data @ w["a"]
        act = np.tanh(pre)
        return act @ w["b"], {"pre": pre, "act": act}


    def gradients(w, kept, guess, data, goal):
        hidden = kept["act"]
        error = 2 * (guess - goal) / goal.size
        gb = hidden.T @ error
        ga = data.T @ (error @ w["b"].T * (1 - hidden ** 2))
        return {"a": ga, "b": gb}


    for turn in range(25):
        guess, kept = ahead(w, data)
        loss = np.mean((guess - goal) ** 2)
        g = gradients(w, kept, guess, data, goal)
        for key in w:
            w[key] -= 0.3 * g[key]
    """)


def test_a_name_that_holds_another_value_is_blamed_where_it_gets_it():
    source = CACHE.replace('hidden = kept["act"]', 'hidden = kept["pre"]')
    assert examined(CACHE, "cache").errors == ()
    assert examined(source, "cache").errors == (line_of(source, 'kept["pre"]'),)


ENGINE = textwrap.dedent("""
    import numpy as np


    class Box:
        def __init__(self, value, *parents):
            self.value, self.parents, self.g = value, parents, np.zeros_like(value)
            self.pull = lambda: None

        def __matmul__(self, other):
            out = Box(self.value @ other.value, self, other)

            def pull():
                self.g += out.g @ other.value.T
                other.g += self.value.T @ out.g
            out.pull = pull
            return out

        def __mul__(self, other):
            out = Box(self.value * other.value, self, other)

            def pull():
                self.g += out.g * other.value
                other.g += out.g * self.value
            out.pull = pull
            return out

        def tanh(self):
            out = Box(np.tanh(self.value), self)

            def pull():
                self.g += out.g * (1 - out.value ** 2)
            out.pull = pull
            return out


    rng = np.random.default_rng(5)
    X, Y = rng.normal(size=(16, 3)), rng.normal(size=(16, 2))
    A, B, C = (Box(rng.normal(size=s) * 0.4) for s in ((3, 4), (3, 4), (4, 2)))
    for turn in range(15):
        gate = (Box(X) @ A).tanh()
        both = (gate * (Box(X) @ B)).tanh()
        out = both @ C
        loss = np.mean((out.value - Y) ** 2)
        order, seen = [], set()

        def visit(box):
            if box not in seen:
                seen.add(box)
                for parent in box.parents:
                    visit(parent)
                order.append(box)
        visit(out)
        for box in order:
            box.g = np.zeros_like(box.value)
        out.g = 2 * (out.value - Y) / Y.size
        for box in reversed(order):
            box.pull()
        for box in (A, B, C):
            box.value -= 0.2 * box.g
    """)


def test_a_wrong_operation_of_an_engine_is_one_root_for_all_that_call_it():
    source = ENGINE.replace("other.g += out.g * self.value", "other.g += out.g * other.value")
    assert examined(ENGINE, "engine").errors == ()
    assert examined(source, "engine").errors == (line_of(source, "other.g += out.g * other.value"),)
    source = ENGINE.replace("self.g += out.g * (1 - out.value ** 2)", "self.g += out.g * (1 - out.value)")
    assert examined(source, "engine").errors == (line_of(source, "(1 - out.value)"),)
