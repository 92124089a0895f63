"""Kvantiiliregressio: kolme kvantiilia yhtä aikaa, pinball-häviö (suomeksi)."""

import numpy as np

arpa = np.random.default_rng(99)
näytteet = arpa.uniform(-1, 1, (120, 1))
kohde = näytteet[:, 0] ** 2 + 0.2 * arpa.standard_normal(120)
kvantiilit = np.array([0.1, 0.5, 0.9])

painot_ä = arpa.normal(0, 1, (1, 12))
vakio_ä = arpa.normal(0, 1, 12)
painot_ö = arpa.normal(0, 0.3, (12, 3))
vakio_ö = np.zeros(3)
askel = 0.05


def häviö_ja_kulma(ennuste, kohde):
    ero = kohde[:, None] - ennuste
    häviö = np.maximum(kvantiilit * ero, (kvantiilit - 1) * ero).mean()
    kulma = np.where(ero > 0, -kvantiilit, 1 - kvantiilit) / ero.size
    return häviö, kulma


for kierros in range(120):
    piilo = np.tanh(näytteet @ painot_ä + vakio_ä)
    ennuste = piilo @ painot_ö + vakio_ö
    häviö, kulma = häviö_ja_kulma(ennuste, kohde)
    kulma_ö = piilo.T @ kulma
    siirto_ö = kulma.sum(axis=0)
    takaisin = (kulma @ painot_ö.T) * (1 - piilo**2)
    kulma_ä = näytteet.T @ takaisin
    siirto_ä = takaisin.sum(axis=0)
    painot_ö -= askel * kulma_ö
    vakio_ö -= askel * siirto_ö
    painot_ä -= askel * kulma_ä
    vakio_ä -= askel * siirto_ä
    if kierros % 40 == 0:
        print(kierros, häviö)
