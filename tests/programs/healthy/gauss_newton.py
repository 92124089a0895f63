import numpy as np

rng = np.random.default_rng(53)
t = np.linspace(0, 4, 30)
obs = 2.0 * np.exp(-0.8 * t) + 0.02 * rng.normal(size=30)
p = np.array([1.0, 0.3])
for it in range(10):
    model = p[0] * np.exp(-p[1] * t)
    res = model - obs
    Jac = np.stack([np.exp(-p[1] * t), -t * model], axis=1)
    p = p - np.linalg.solve(Jac.T @ Jac, Jac.T @ res)
    print(it, res @ res)
