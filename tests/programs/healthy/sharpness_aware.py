# sharpness aware minimisation
import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(80, 5)); y = (X[:, 0] * X[:, 1] > 0).astype(float)[:, None]
params = dict(W1=rng.normal(0, .5, (5, 8)), b1=np.zeros((1, 8)), W2=rng.normal(0, .5, (8, 1)), b2=np.zeros((1, 1)))
def loss_and_grads(p):
    h = np.tanh(X @ p['W1'] + p['b1']); o = 1 / (1 + np.exp(-(h @ p['W2'] + p['b2'])))
    loss = -np.mean(y * np.log(o) + (1 - y) * np.log(1 - o))
    d = (o - y) / len(X)
    g = dict(W2=h.T @ d, b2=d.sum(0, keepdims=True))
    dh = d @ p['W2'].T * (1 - h * h)
    g['W1'] = X.T @ dh; g['b1'] = dh.sum(0, keepdims=True)
    return loss, g
rho, lr = 0.05, 0.5
for it in range(50):
    loss, g = loss_and_grads(params)
    norm = np.sqrt(sum((v ** 2).sum() for v in g.values())) + 1e-12
    adv = {k: params[k] + rho * g[k] / norm for k in params}
    _, g2 = loss_and_grads(adv)
    for k in params: params[k] = params[k] - lr * g2[k]
    if it % 10 == 0: print(it, loss)
