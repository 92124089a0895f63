# ek saral tantrika jaal (neural network) - NumPy ke bina nahin, par sootra haath se
import numpy as np

np.random.seed(10)
# aagat (input) aur lakshya (target)
aagat = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
lakshya = np.array([[0], [1], [1], [0]])

bhaar = [2 * np.random.random((3, 5)) - 1, 2 * np.random.random((5, 4)) - 1, 2 * np.random.random((4, 1)) - 1]
seekhne_ki_dar = 0.8


def sigmoid(x, avakalaj=False):
    if avakalaj:
        return x * (1 - x)
    return 1 / (1 + np.exp(-x))


for chakra in range(400):
    paratein = [aagat]
    for b in bhaar:
        paratein.append(sigmoid(paratein[-1] @ b))
    truti = lakshya - paratein[-1]
    if chakra % 100 == 0:
        print("truti:", np.mean(np.abs(truti)))
    sudhaar = [truti * sigmoid(paratein[-1], avakalaj=True)]
    for k in range(len(bhaar) - 1, 0, -1):
        sudhaar.insert(0, sudhaar[0] @ bhaar[k].T * sigmoid(paratein[k], avakalaj=True))
    for k in range(len(bhaar)):
        bhaar[k] += seekhne_ki_dar * paratein[k].T @ sudhaar[k]
