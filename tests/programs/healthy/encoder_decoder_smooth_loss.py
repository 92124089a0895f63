"""Encoder-decoder with tanh cells and teacher forcing: repeat the input sequence backwards."""
import numpy as np


class Cell:
    """One tanh recurrent cell that remembers its steps on a stack."""

    def __init__(self, n_in, n_hid, gen):
        self.Wx = gen.normal(0, 0.3, (n_hid, n_in))
        self.Wh = gen.normal(0, 0.3, (n_hid, n_hid))
        self.b = np.zeros(n_hid)
        self.clear()

    def clear(self):
        self.stack = []
        self.gWx, self.gWh, self.gb = np.zeros_like(self.Wx), np.zeros_like(self.Wh), np.zeros_like(self.b)

    def step(self, x, h):
        new = np.tanh(self.Wx @ x + self.Wh @ h + self.b)
        self.stack.append((x, h, new))
        return new

    def unstep(self, g):
        x, h, new = self.stack.pop()
        dz = g * (1 - new * new)
        self.gWx += np.outer(dz, x)
        self.gWh += np.outer(dz, h)
        self.gb += dz
        return self.Wh.T @ dz

    def apply(self, rate):
        for name in ("Wx", "Wh", "b"):
            setattr(self, name, getattr(self, name) - rate * np.clip(getattr(self, "g" + name), -5, 5))


gen = np.random.default_rng(50)
V, H, LEN = 4, 10, 3
enc, dec = Cell(V, H, gen), Cell(V, H, gen)
Vout = gen.normal(0, 0.3, (V, H))
eye = np.eye(V)
smooth = np.log(V)
for it in range(120):
    word = gen.integers(0, V, LEN)
    target = word[::-1]
    enc.clear()
    dec.clear()
    h = np.zeros(H)
    for c in word:
        h = enc.step(eye[c], h)
    loss, errors, states = 0.0, [], []
    prev = np.zeros(V)
    for c in target:
        h = dec.step(prev, h)
        score = Vout @ h
        p = np.exp(score - score.max())
        p /= p.sum()
        loss -= np.log(p[c]) / LEN
        errors.append((p - eye[c]) / LEN)
        states.append(h)
        prev = eye[c]
    gVout = np.zeros_like(Vout)
    g = np.zeros(H)
    for e, s in zip(reversed(errors), reversed(states)):
        gVout += np.outer(e, s)
        g = dec.unstep(g + Vout.T @ e)
    for _ in word:
        g = enc.unstep(g)
    enc.apply(0.3)
    dec.apply(0.3)
    Vout -= 0.3 * gVout
    smooth = 0.9 * smooth + 0.1 * loss
    if it % 40 == 0:
        print("iter", it, "smooth loss", smooth)
