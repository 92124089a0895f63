"""A neural ODE with Euler steps, differentiated through all of them; the vector field is shared by the steps."""

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Field:
    K: np.ndarray
    c: np.ndarray
    grads: dict = field(default_factory=dict)

    def f(self, z):
        return np.sin(z @ self.K + self.c)

    def vjp(self, z, lam):
        d = lam * np.cos(z @ self.K + self.c)
        return d @ self.K.T, z.T @ d, d.sum(axis=0)


def solve(fld, z0, h, steps):
    path = [z0]
    for _ in range(steps):
        path.append(path[-1] + h * fld.f(path[-1]))
    return path


def adjoint(fld, path, lam, h):
    gK = np.zeros_like(fld.K)
    gc = np.zeros_like(fld.c)
    for z in path[-2::-1]:
        dz, dK, dc = fld.vjp(z, lam)
        gK += h * dK
        gc += h * dc
        lam = lam + h * dz
    fld.grads = {"K": gK, "c": gc}
    return lam


rng = np.random.default_rng(4)
z0 = rng.normal(size=(10, 2))
angle = 0.8
R = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
goal = z0 @ R.T

model = Field(rng.normal(0, 0.5, (2, 2)), np.zeros(2))
h, steps, rate = 0.1, 10, 0.5
for it in range(60):
    path = solve(model, z0, h, steps)
    err = path[-1] - goal
    J = (err**2).sum() / (2 * len(z0))
    adjoint(model, path, err / len(z0), h)
    model.K = model.K - rate * model.grads["K"]
    model.c = model.c - rate * model.grads["c"]
    if it % 15 == 0:
        print("%d %.8f" % (it, J))
