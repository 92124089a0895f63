import numpy as np


class SkipGram:
    def __init__(self, tokens, dim=4, window=2, lr=0.05):
        self.vocab = sorted(set(tokens))
        self.word_index = {w: i for i, w in enumerate(self.vocab)}
        self.corpus = [self.word_index[w] for w in tokens]
        self.window = window
        self.lr = lr
        v = len(self.vocab)
        gen = np.random.default_rng(21)
        self.w_in = gen.uniform(-0.8, 0.8, (v, dim))
        self.w_out = gen.uniform(-0.8, 0.8, (dim, v))
        self.loss = 0.0

    def samples(self):
        for pos, centre in enumerate(self.corpus):
            lo, hi = max(0, pos - self.window), min(len(self.corpus), pos + self.window + 1)
            yield centre, [self.corpus[k] for k in range(lo, hi) if k != pos]

    def feed_forward(self, centre):
        self.h = self.w_in[centre]
        self.u = self.h @ self.w_out
        e = np.exp(self.u - self.u.max())
        return e / e.sum()

    def back_prop(self, centre, context, y_hat):
        err = np.zeros_like(y_hat)
        for c in context:
            err += y_hat
            err[c] -= 1
        grad_out = np.outer(self.h, err)
        grad_h = self.w_out @ err
        self.w_out = self.w_out - self.lr * grad_out
        self.w_in[centre] = self.w_in[centre] - self.lr * grad_h

    def train(self, epochs):
        for epoch in range(epochs):
            self.loss = 0.0
            for centre, context in self.samples():
                y_hat = self.feed_forward(centre)
                self.loss += -sum(self.u[c] for c in context) + len(context) * np.log(np.exp(self.u).sum())
                self.back_prop(centre, context, y_hat)
            if epoch % 10 == 0:
                print("EPOCH:", epoch, "LOSS:", self.loss)


text = "the quick fox jumps over the lazy dog and the quick dog sleeps while the fox runs over the hill"
model = SkipGram(text.split())
model.train(41)
