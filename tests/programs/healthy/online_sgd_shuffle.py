import numpy as np

rng = np.random.default_rng(57)
dati = [(rng.normal(size=3), rng.integers(0, 2)) for _ in range(30)]
pesi, soglia = rng.normal(size=3), 0.1
passo = 0.05
for giro in range(5):
    rng.shuffle(dati)
    persa = 0
    for caso, voluto in dati:
        uscita = np.tanh(pesi @ caso + soglia)
        scarto = uscita - (2 * voluto - 1)
        persa += scarto**2
        pendenza = scarto * (1 - uscita**2)
        pesi -= passo * pendenza * caso
        soglia -= passo * pendenza
    print(giro, persa / len(dati))
