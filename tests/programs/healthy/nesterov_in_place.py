# CS231n style: inline two layer net, nesterov momentum, weight decay, learning rate annealing
import numpy as np

np.random.seed(0)
N, D, K, h = 12, 2, 3, 8
X = np.zeros((N * K, D))
y = np.zeros(N * K, dtype="uint8")
for j in range(K):
    ix = range(N * j, N * (j + 1))
    r = np.linspace(0.0, 1, N)
    t = np.linspace(j * 4, (j + 1) * 4, N) + np.random.randn(N) * 0.2
    X[ix] = np.c_[r * np.sin(t), r * np.cos(t)]
    y[ix] = j

W = 0.5 * np.random.randn(D, h)
b = np.zeros((1, h))
W2 = 0.5 * np.random.randn(h, K)
b2 = np.zeros((1, K))
v_W, v_b, v_W2, v_b2 = [np.zeros_like(p) for p in (W, b, W2, b2)]

step_size = 0.5
reg = 1e-3
mu = 0.9
num_examples = X.shape[0]
for i in range(8):
    hidden_layer = np.maximum(0, np.dot(X, W) + b)
    scores = np.dot(hidden_layer, W2) + b2
    exp_scores = np.exp(scores)
    probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
    correct_logprobs = -np.log(probs[range(num_examples), y])
    data_loss = np.sum(correct_logprobs) / num_examples
    reg_loss = 0.5 * reg * np.sum(W * W) + 0.5 * reg * np.sum(W2 * W2)
    loss = data_loss + reg_loss
    if i % 20 == 0:
        print("iteration %d: loss %f" % (i, loss))

    dscores = probs
    dscores[range(num_examples), y] -= 1
    dscores /= num_examples
    dW2 = np.dot(hidden_layer.T, dscores)
    db2 = np.sum(dscores, axis=0, keepdims=True)
    dhidden = np.dot(dscores, W2.T)
    dhidden[hidden_layer <= 0] = 0
    dW = np.dot(X.T, dhidden)
    db = np.sum(dhidden, axis=0, keepdims=True)
    dW2 += reg * W2
    dW += reg * W

    if i and i % 40 == 0:
        step_size *= 0.5
    for param, grad, vel in ((W, dW, v_W), (b, db, v_b), (W2, dW2, v_W2), (b2, db2, v_b2)):
        v_prev = vel.copy()
        vel *= mu
        vel -= 0.1 * step_size * grad
        param += -mu * v_prev + (1 + mu) * vel

predicted = np.argmax(np.dot(np.maximum(0, np.dot(X, W) + b), W2) + b2, axis=1)
print("training accuracy: %.2f" % np.mean(predicted == y))
