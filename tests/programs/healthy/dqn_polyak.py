import numpy as np

rng = np.random.default_rng(35)
S, A, gamma, tau, lr = 4, 2, 0.9, 0.05, 0.05
online = {"W1": rng.normal(size=(S, 8)) * 0.4, "W2": rng.normal(size=(8, A)) * 0.4}
target = {k: v.copy() for k, v in online.items()}


def q(net, s):
    h = np.tanh(s @ net["W1"])
    return h, h @ net["W2"]


for it in range(40):
    s, a = rng.normal(size=(16, S)), rng.integers(0, A, 16)
    reward, s2 = s[:, 0] * (2 * a - 1), rng.normal(size=(16, S))
    _, next_q = q(target, s2)
    goal = reward + gamma * next_q.max(axis=1)
    h, values = q(online, s)
    td = values[np.arange(16), a] - goal
    loss = 0.5 * np.mean(td**2)
    dq = np.zeros_like(values)
    dq[np.arange(16), a] = td / 16
    grads = {"W2": h.T @ dq, "W1": s.T @ (dq @ online["W2"].T * (1 - h**2))}
    for k in online:
        online[k] -= lr * grads[k]
        target[k] = tau * online[k] + (1 - tau) * target[k]
print(loss)
