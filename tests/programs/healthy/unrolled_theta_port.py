"""A port of a MATLAB course exercise: unrolled theta, nnCostFunction returns J and grad, own gradient descent."""
import numpy as np


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def sigmoidGradient(z):
    g = sigmoid(z)
    return g * (1 - g)


def randInitializeWeights(L_in, L_out, rng, epsilon_init=0.12):
    return rng.random_sample((L_out, 1 + L_in)) * 2 * epsilon_init * 4 - epsilon_init * 4


def nnCostFunction(nn_params, input_layer_size, hidden_layer_size, num_labels, X, y, lambda_):
    cut = hidden_layer_size * (input_layer_size + 1)
    Theta1 = nn_params[:cut].reshape(hidden_layer_size, input_layer_size + 1)
    Theta2 = nn_params[cut:].reshape(num_labels, hidden_layer_size + 1)
    m = X.shape[0]
    a1 = np.c_[np.ones(m), X]
    z2 = a1 @ Theta1.T
    a2 = np.c_[np.ones(m), sigmoid(z2)]
    z3 = a2 @ Theta2.T
    h = sigmoid(z3)
    Y = np.eye(num_labels)[y]
    J = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / m
    J += lambda_ / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    d3 = h - Y
    d2 = (d3 @ Theta2)[:, 1:] * sigmoidGradient(z2)
    Theta1_grad = d2.T @ a1 / m
    Theta2_grad = d3.T @ a2 / m
    Theta1_grad[:, 1:] += lambda_ / m * Theta1[:, 1:]
    Theta2_grad[:, 1:] += lambda_ / m * Theta2[:, 1:]
    grad = np.r_[Theta1_grad.ravel(), Theta2_grad.ravel()]
    return J, grad


def predict(nn_params, sizes, X):
    i, h, k = sizes
    cut = h * (i + 1)
    a = sigmoid(np.c_[np.ones(len(X)), X] @ nn_params[:cut].reshape(h, i + 1).T)
    return np.argmax(sigmoid(np.c_[np.ones(len(a)), a] @ nn_params[cut:].reshape(k, h + 1).T), axis=1)


rng = np.random.RandomState(6)
X = rng.randn(90, 4)
y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0).astype(int)
nn_params = np.concatenate([randInitializeWeights(4, 6, rng).ravel(), randInitializeWeights(6, 3, rng).ravel()])
J_history = []
for iteration in range(100):
    J, grad = nnCostFunction(nn_params, 4, 6, 3, X, y, 1.0)
    nn_params = nn_params - 0.8 * grad
    J_history.append(J)
print("cost %.4f -> %.4f" % (J_history[0], J_history[-1]))
print("accuracy", np.mean(predict(nn_params, (4, 6, 3), X) == y))
