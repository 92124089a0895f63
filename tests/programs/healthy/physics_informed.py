# physics informed: u' = -2u + x, u(0)=1 by a tanh net, analytic derivative of the net
import numpy as np
rng = np.random.default_rng(8)
a = rng.normal(0, 1, 12); c = rng.normal(0, 1, 12); v = rng.normal(0, .3, 12)
x = np.linspace(0, 1, 25)
for it in range(200):
    t = np.tanh(np.outer(x, a) + c); s = 1 - t ** 2
    u = t @ v; ux = (s * a) @ v
    res = ux + 2 * u - x
    t0 = np.tanh(c); bc = t0 @ v - 1
    loss = np.mean(res ** 2) + bc ** 2
    r = 2 * res / len(x)
    gv = (s * a).T @ r + 2 * t.T @ r + 2 * bc * t0
    ds = -2 * t * s
    ga = ((ds * x[:, None] * a + s) * v).T @ r + 2 * (s * x[:, None] * v).T @ r
    gc = (ds * a * v).T @ r + 2 * (s * v).T @ r + 2 * bc * (1 - t0 ** 2) * v
    a -= .01 * ga; c -= .01 * gc; v -= .01 * gv
    if it % 50 == 0: print(it, loss)
