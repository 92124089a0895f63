import numpy as np

np.random.seed(42)


class CoucheLineaire:
    def __init__(self, entrees, sorties):
        self.poids = np.random.randn(sorties, entrees) * np.sqrt(2 / entrees)
        self.biais = np.zeros((sorties, 1))
        self.v_poids = np.zeros_like(self.poids)
        self.v_biais = np.zeros_like(self.biais)

    def propager(self, x):
        self.x = x
        return self.poids @ x + self.biais

    def retropropager(self, erreur):
        self.g_poids = erreur @ self.x.T
        self.g_biais = erreur.sum(axis=1, keepdims=True)
        return self.poids.T @ erreur

    def mettre_a_jour(self, pas, inertie):
        self.v_poids = inertie * self.v_poids - pas * self.g_poids
        self.v_biais = inertie * self.v_biais - pas * self.g_biais
        self.poids += self.v_poids
        self.biais += self.v_biais


class Sigmoide:
    def propager(self, z):
        self.s = 1.0 / (1.0 + np.exp(-z))
        return self.s

    def retropropager(self, erreur):
        return erreur * self.s * (1 - self.s)

    def mettre_a_jour(self, pas, inertie):
        pass


class Reseau:
    def __init__(self, *couches):
        self.couches = couches

    def propager(self, x):
        for couche in self.couches:
            x = couche.propager(x)
        return x

    def apprendre(self, x, cible, pas, inertie):
        sortie = self.propager(x)
        m = x.shape[1]
        cout = -np.sum(cible * np.log(sortie) + (1 - cible) * np.log(1 - sortie)) / m
        erreur = (sortie - cible) / (sortie * (1 - sortie)) / m
        for couche in reversed(self.couches):
            erreur = couche.retropropager(erreur)
        for couche in self.couches:
            couche.mettre_a_jour(pas, inertie)
        return cout


n = 96
donnees = np.random.randn(2, n)
etiquettes = (donnees[0:1] ** 2 + donnees[1:2] ** 2 < 1.2).astype(float)
reseau = Reseau(CoucheLineaire(2, 5), Sigmoide(), CoucheLineaire(5, 1), Sigmoide())

taille_lot = 16
for epoque in range(60):
    ordre = np.random.permutation(n)
    total = 0
    for debut in range(0, n, taille_lot):
        indices = ordre[debut:debut + taille_lot]
        total += reseau.apprendre(donnees[:, indices], etiquettes[:, indices], pas=0.3, inertie=0.9)
    if epoque % 10 == 0:
        print("époque", epoque, "coût moyen", total / (n / taille_lot))
