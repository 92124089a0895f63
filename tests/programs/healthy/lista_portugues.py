import math
import random

random.seed(55)
taxa = 0.3
entradas = [[0, 0], [0, 1], [1, 0], [1, 1]]
alvos = [0, 1, 1, 0]
ocultos = 3
w1 = [[random.uniform(-1, 1) for _ in range(3)] for _ in range(ocultos)]
w2 = [random.uniform(-1, 1) for _ in range(ocultos + 1)]


def ativa(v):
    return 1 / (1 + math.exp(-v))


for epoca in range(30):
    soma = 0
    for x, alvo in zip(entradas, alvos):
        xb = x + [1]
        h = [ativa(sum(a * b for a, b in zip(linha, xb))) for linha in w1]
        hb = h + [1]
        o = ativa(sum(a * b for a, b in zip(w2, hb)))
        erro = alvo - o
        soma += erro**2 / 2
        delta = erro * o * (1 - o)
        deltas = [delta * w2[j] * h[j] * (1 - h[j]) for j in range(ocultos)]
        for j in range(ocultos + 1):
            w2[j] += taxa * delta * hb[j]
        for j in range(ocultos):
            for k in range(3):
                w1[j][k] += taxa * deltas[j] * xb[k]
print(soma)
