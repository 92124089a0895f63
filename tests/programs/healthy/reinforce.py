import numpy as np

rng = np.random.default_rng(38)
theta = np.zeros((3, 2))
baseline = 0.0


def policy(s):
    z = s @ theta
    e = np.exp(z - z.max())
    return e / e.sum()


for episode in range(40):
    grads, rewards = [], []
    for t in range(6):
        s = rng.normal(size=3)
        p = policy(s)
        a = rng.choice(2, p=p)
        dsoftmax = -p
        dsoftmax[a] += 1
        grads.append(np.outer(s, dsoftmax))
        rewards.append(s[0] * (1 if a else -1))
    returns = np.cumsum(rewards[::-1])[::-1]
    baseline = 0.9 * baseline + 0.1 * returns[0]
    for g, G in zip(grads, returns):
        theta += 0.05 * (G - baseline) * g
print(baseline)
