import numpy as np

# clasificador lineal con regularización, por lotes
azar = np.random.default_rng(8)
muestras, rasgos, clases = 90, 4, 3
datos = azar.normal(size=(muestras, rasgos))
etiquetas = np.argmax(datos @ azar.normal(size=(rasgos, clases)) + 0.3 * azar.normal(size=(muestras, clases)), axis=1)
objetivo = np.eye(clases)[etiquetas]

pesos = 0.01 * azar.normal(size=(rasgos, clases))
sesgo = np.zeros((1, clases))
tasa = 0.2
lambda_ = 0.05
lote = 30
paso = 0

for epoca in range(40):
    orden = azar.permutation(muestras)
    for k in range(0, muestras, lote):
        filas = orden[k:k + lote]
        xb = datos[filas]
        tb = objetivo[filas]

        puntajes = xb @ pesos + sesgo
        expo = np.exp(puntajes - puntajes.max(axis=1, keepdims=True))
        prob = expo / expo.sum(axis=1, keepdims=True)
        perdida = -np.sum(tb * np.log(prob)) / len(xb) + 0.5 * lambda_ * np.sum(pesos ** 2)

        d_puntajes = (prob - tb) / len(xb)
        d_pesos = xb.T @ d_puntajes + lambda_ * pesos
        d_sesgo = d_puntajes.sum(axis=0, keepdims=True)

        pesos -= tasa * d_pesos
        sesgo -= tasa * d_sesgo
        paso += 1
        if paso % 30 == 0:
            print('paso', paso, 'pérdida', perdida)

aciertos = np.mean(np.argmax(datos @ pesos + sesgo, axis=1) == etiquetas)
print('exactitud final:', aciertos)
