import numpy as np

gerador = np.random.RandomState(13)
entradas = gerador.randn(25, 3)
alvos = np.c_[np.sin(entradas[:, 0]), entradas[:, 1] * entradas[:, 2]] * 0.5

camada1 = gerador.randn(3, 6) * 0.4
vies1 = np.zeros(6)
camada2 = gerador.randn(6, 4) * 0.4
vies2 = np.zeros(4)
camada3 = gerador.randn(4, 2) * 0.4
vies3 = np.zeros(2)
taxa = 0.05

for rodada in range(400):
    oculta1 = np.tanh(entradas @ camada1 + vies1)
    oculta2 = np.tanh(oculta1 @ camada2 + vies2)
    saida = oculta2 @ camada3 + vies3
    perda = ((alvos - saida) ** 2).sum(axis=1).mean()
    if rodada % 100 == 0:
        print(f"rodada {rodada}: perda = {perda:.5f}")

    # da saída para a entrada, atualizando no caminho
    ajuste = 2 * (alvos - saida) / len(entradas)
    antiga3 = camada3.copy()
    camada3 += taxa * oculta2.T @ ajuste
    vies3 += taxa * ajuste.sum(axis=0)

    ajuste = ajuste @ antiga3.T * (1 - oculta2 ** 2)
    antiga2 = camada2.copy()
    camada2 += taxa * oculta1.T @ ajuste
    vies2 += taxa * ajuste.sum(axis=0)

    ajuste = ajuste @ antiga2.T * (1 - oculta1 ** 2)
    camada1 += taxa * entradas.T @ ajuste
    vies1 += taxa * ajuste.sum(axis=0)
