# PPO-clip objective, old probs stored
import numpy as np
rng = np.random.default_rng(2)
T = rng.normal(0, .3, (3, 4)); eps = .2
for it in range(30):
    S = rng.normal(size=(32, 3))
    z = S @ T; p_old = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    A = np.array([rng.choice(4, p=q) for q in p_old])
    adv = S[:, 0] * (A == 2) - S[:, 1] * (A == 1)
    adv = (adv - adv.mean()) / (adv.std() + 1e-8)
    old = p_old[np.arange(32), A]
    for epoch in range(3):
        z = S @ T; p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
        ratio = p[np.arange(32), A] / old
        s1 = ratio * adv; s2 = np.clip(ratio, 1 - eps, 1 + eps) * adv
        loss = -np.mean(np.minimum(s1, s2))
        active = (s1 <= s2).astype(float)
        dratio = -adv * active / 32
        dp = np.zeros_like(p); dp[np.arange(32), A] = dratio / old
        dz = p * (dp - (dp * p).sum(1, keepdims=True))
        dT = S.T @ dz
        T -= .3 * dT
    if it % 10 == 0: print(it, loss)
