import numpy as np

np.random.seed(23)
dataMat = np.matrix(np.c_[np.ones(40), np.random.randn(40, 2)])
labelMat = np.matrix((np.array(dataMat[:, 1]) + np.array(dataMat[:, 2]) > 0).astype(float))


def sigmoid(inX):
    return 1.0 / (1 + np.exp(-inX))


alpha = 0.01
weights = np.ones((3, 1))
for k in range(60):
    h = sigmoid(dataMat * weights)
    error = labelMat - h
    weights = weights + alpha * dataMat.transpose() * error
print(weights)
