import numpy as np


def init_network(dims, rng):
    params = []
    for n_in, n_out in zip(dims[:-1], dims[1:]):
        params.append((rng.standard_normal((n_in, n_out)) / np.sqrt(n_in), np.zeros(n_out)))
    return params


def affine_forward(x, w, b):
    return x @ w + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    dx = dout @ w.T
    dw = x.T @ dout
    db = np.sum(dout, axis=0)
    return dx, dw, db


def softplus_forward(z):
    return np.log1p(np.exp(z)), z


def softplus_backward(dout, z):
    return dout / (1 + np.exp(-z))


def mse_loss(pred, target):
    diff = pred - target
    loss = np.mean(diff ** 2)
    dpred = 2 * diff / diff.size
    return loss, dpred


def forward(x, params):
    caches = []
    last = len(params) - 1
    for i, (w, b) in enumerate(params):
        x, fc_cache = affine_forward(x, w, b)
        act_cache = None
        if i < last:
            x, act_cache = softplus_forward(x)
        caches.append((fc_cache, act_cache))
    return x, caches


def backward(dout, caches):
    grads = []
    for fc_cache, act_cache in reversed(caches):
        if act_cache is not None:
            dout = softplus_backward(dout, act_cache)
        dout, dw, db = affine_backward(dout, fc_cache)
        grads.append((dw, db))
    return grads[::-1]


def adam(params, grads, state, t, lr=1e-2, beta1=0.9, beta2=0.999, eps=1e-8):
    new_params = []
    for k, ((w, b), (dw, db)) in enumerate(zip(params, grads)):
        updated = []
        for j, (p, g) in enumerate(((w, dw), (b, db))):
            m, v = state.get((k, j), (np.zeros_like(p), np.zeros_like(p)))
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * g ** 2
            state[k, j] = (m, v)
            m_hat = m / (1 - beta1 ** t)
            v_hat = v / (1 - beta2 ** t)
            updated.append(p - lr * m_hat / (np.sqrt(v_hat) + eps))
        new_params.append(tuple(updated))
    return new_params


def main():
    rng = np.random.default_rng(11)
    x = rng.uniform(-2, 2, (80, 2))
    y = np.sin(x[:, :1]) * x[:, 1:] + 0.3
    params = init_network([2, 6, 4, 1], rng)
    state = {}
    for epoch in range(1, 401):
        pred, caches = forward(x, params)
        loss, dpred = mse_loss(pred, y)
        grads = backward(dpred, caches)
        params = adam(params, grads, state, epoch)
        if epoch % 100 == 0:
            print(f"epoch {epoch}: {loss:.5f}")


if __name__ == "__main__":
    main()
