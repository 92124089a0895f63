# actor critic, separate heads, one step
import numpy as np
rng = np.random.default_rng(6)
W = rng.normal(0, .3, (4, 8)); Wp = rng.normal(0, .3, (8, 3)); Wv = rng.normal(0, .3, (8, 1))
gamma, lr = .95, .02
def features(s):
    return np.tanh(s @ W)
for it in range(60):
    s = rng.normal(size=(10, 4)); s2 = rng.normal(size=(10, 4))
    h = features(s)
    logits = h @ Wp
    p = np.exp(logits - logits.max(1, keepdims=True)); p /= p.sum(1, keepdims=True)
    a = np.array([rng.choice(3, p=q) for q in p])
    r = s[:, 0] * (a == 1) - s[:, 1] * (a == 0)
    v = (h @ Wv)[:, 0]
    v2 = (features(s2) @ Wv)[:, 0]
    target = r + gamma * v2
    adv = target - v
    critic_loss = 0.5 * np.mean((v - target) ** 2)
    actor_loss = -np.mean(np.log(p[np.arange(10), a]) * adv)
    dlogits = p.copy(); dlogits[np.arange(10), a] -= 1
    dlogits *= adv[:, None] / 10
    dv = (v - target)[:, None] / 10
    dWp = h.T @ dlogits
    dWv = h.T @ dv
    dh = dlogits @ Wp.T + dv @ Wv.T
    dW = s.T @ (dh * (1 - h ** 2))
    W -= lr * dW; Wp -= lr * dWp; Wv -= lr * dWv
    if it % 20 == 0: print(actor_loss, critic_loss)
