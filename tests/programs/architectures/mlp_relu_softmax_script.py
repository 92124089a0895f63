import numpy as np

np.random.seed(22)
X = np.random.randn(6, 6)
labels = np.random.randint(0, 3, 6)
num = X.shape[0]

W1, b1 = np.random.randn(6, 6) * 0.6, np.random.randn(1, 6) * 0.2
W2, b2 = np.random.randn(6, 6) * 0.6, np.random.randn(1, 6) * 0.2
W3, b3 = np.random.randn(6, 3) * 0.6, np.random.randn(1, 3) * 0.2
step_size = 0.2

for i in range(30):
    z1 = np.dot(X, W1) + b1
    h1 = np.maximum(0, z1)
    z2 = np.dot(h1, W2) + b2
    h2 = np.maximum(0, z2)
    scores = np.dot(h2, W3) + b3
    exp_scores = np.exp(scores)
    probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
    loss = -np.sum(np.log(probs[range(num), labels])) / num
    if i % 10 == 0:
        print("iteration %d: loss %f" % (i, loss))

    dscores = probs.copy()
    dscores[range(num), labels] -= 1
    dscores = dscores / num
    dW3 = np.dot(h2.T, dscores)
    db3 = np.sum(dscores, axis=0, keepdims=True)
    dh2 = np.dot(dscores, W3.T)
    dz2 = dh2 * (z2 > 0)
    dW2 = np.dot(h1.T, dz2)
    db2 = np.sum(dz2, axis=0, keepdims=True)
    dh1 = np.dot(dz2, W2.T)
    dz1 = dh1 * (z1 > 0)
    dW1 = np.dot(X.T, dz1)
    db1 = np.sum(dz1, axis=0, keepdims=True)

    W1 += -step_size * dW1
    b1 += -step_size * db1
    W2 += -step_size * dW2
    b2 += -step_size * db2
    W3 += -step_size * dW3
    b3 += -step_size * db3
