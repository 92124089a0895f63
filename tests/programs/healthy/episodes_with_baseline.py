# REINFORCE with baseline value net trained jointly, episode returns, printed reward only
import numpy as np
rng = np.random.default_rng(0)
H = 10
W1 = rng.normal(0, .3, (4, H)); Wpi = rng.normal(0, .3, (H, 2)); Wv = rng.normal(0, .3, (H, 1))
def policy(s):
    h = np.tanh(s @ W1); z = h @ Wpi
    p = np.exp(z - z.max()); return p / p.sum(), (h @ Wv)[0], h
for ep in range(40):
    s = rng.normal(size=4); states, actions, rewards, values, probs, hs = [], [], [], [], [], []
    for t in range(12):
        p, v, h = policy(s)
        a = rng.choice(2, p=p)
        r = s[0] if a else -s[0]
        states.append(s); actions.append(a); rewards.append(r); values.append(v); probs.append(p); hs.append(h)
        s = .8 * s + .4 * rng.normal(size=4)
    G, R = [], 0
    for r in rewards[::-1]:
        R = r + .9 * R; G.insert(0, R)
    dW1, dWpi, dWv = np.zeros_like(W1), np.zeros_like(Wpi), np.zeros_like(Wv)
    for s_, a, g, v, p, h in zip(states, actions, G, values, probs, hs):
        adv = g - v
        dz = -p * adv * -1
        dz = p.copy(); dz[a] -= 1; dz *= adv
        dv = v - g
        dWpi += np.outer(h, dz); dWv += np.outer(h, [dv])
        dh = Wpi @ dz + Wv[:, 0] * dv
        dW1 += np.outer(s_, dh * (1 - h ** 2))
    W1 -= .01 * dW1; Wpi -= .01 * dWpi; Wv -= .01 * dWv
    if ep % 10 == 0: print(ep, sum(rewards))
