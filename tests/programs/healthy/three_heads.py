# detector: box regression + class + objectness, three losses printed, none summed
import numpy as np
rng = np.random.default_rng(4)
N, D, H, C = 40, 6, 10, 3
feats = rng.normal(size=(N, D)); boxes = rng.normal(size=(N, 4)); labels = rng.integers(0, C, N); obj = rng.integers(0, 2, N).astype(float)
params = {'W': rng.normal(0, .3, (D, H)), 'b': np.zeros(H), 'Wbox': rng.normal(0, .3, (H, 4)), 'bbox': np.zeros(4),
          'Wcls': rng.normal(0, .3, (H, C)), 'bcls': np.zeros(C), 'Wobj': rng.normal(0, .3, (H, 1)), 'bobj': np.zeros(1)}
lam_box = 5.0
for it in range(60):
    P = params
    h = np.maximum(0, feats @ P['W'] + P['b'])
    box = h @ P['Wbox'] + P['bbox']
    logit = h @ P['Wcls'] + P['bcls']
    prob = np.exp(logit - logit.max(1, keepdims=True)); prob /= prob.sum(1, keepdims=True)
    o = 1 / (1 + np.exp(-(h @ P['Wobj'] + P['bobj'])[:, 0]))
    l_box = 0.5 * np.sum(obj[:, None] * (box - boxes) ** 2) / N
    l_cls = -np.sum(obj * np.log(prob[np.arange(N), labels])) / N
    l_obj = -np.mean(obj * np.log(o) + (1 - obj) * np.log(1 - o))
    grads = {}
    dbox = lam_box * obj[:, None] * (box - boxes) / N
    dlogit = prob.copy(); dlogit[np.arange(N), labels] -= 1; dlogit *= obj[:, None] / N
    do = ((o - obj) / N)[:, None]
    grads['Wbox'] = h.T @ dbox; grads['bbox'] = dbox.sum(0)
    grads['Wcls'] = h.T @ dlogit; grads['bcls'] = dlogit.sum(0)
    grads['Wobj'] = h.T @ do; grads['bobj'] = do.sum(0)
    dh = dbox @ P['Wbox'].T + dlogit @ P['Wcls'].T + do @ P['Wobj'].T
    dh[h <= 0] = 0
    grads['W'] = feats.T @ dh; grads['b'] = dh.sum(0)
    for k in params: params[k] -= 0.1 * grads[k]
    if it % 20 == 0: print(f"box {l_box:.3f} cls {l_cls:.3f} obj {l_obj:.3f}")
