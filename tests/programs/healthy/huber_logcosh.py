import numpy as np

rng = np.random.default_rng(23)
X = rng.normal(size=(40, 3))
y = X @ [1.0, -2.0, 0.5] + rng.standard_t(2, size=40)


def huber(r, delta=1.0):
    small = np.abs(r) <= delta
    return np.where(small, 0.5 * r**2, delta * (np.abs(r) - 0.5 * delta)), np.where(small, r, delta * np.sign(r))


def logcosh(r):
    return np.log(np.cosh(r)), np.tanh(r)


for criterion in (huber, logcosh):
    coef, intercept = np.zeros(3), 0.0
    for step in range(40):
        res = X @ coef + intercept - y
        val, der = criterion(res)
        coef -= 0.2 * X.T @ der / len(y)
        intercept -= 0.2 * der.mean()
    print(criterion.__name__, val.mean(), coef)
