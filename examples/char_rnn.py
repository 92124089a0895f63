import numpy as np

text = "the quick brown fox jumps over the lazy dog. the dog sleeps, the fox runs. " * 4
chars = sorted(set(text))
index = {c: i for i, c in enumerate(chars)}


class CharRNN:
    def __init__(self, vocab, hidden=24, seq_length=12, lr=0.03, seed=0):
        rng = np.random.default_rng(seed)
        self.vocab, self.hidden, self.seq_length, self.lr = vocab, hidden, seq_length, lr
        self.Wxh = rng.standard_normal((hidden, vocab)) * 0.1
        self.Whh = rng.standard_normal((hidden, hidden)) * 0.1
        self.Why = rng.standard_normal((vocab, hidden)) * 0.1
        self.bh = np.zeros((hidden, 1))
        self.by = np.zeros((vocab, 1))

    def step(self, inputs, targets, hprev):
        xs, hs, ps = {}, {-1: hprev}, {}
        loss = 0.0
        for t in range(len(inputs)):
            xs[t] = np.zeros((self.vocab, 1))
            xs[t][inputs[t]] = 1
            hs[t] = np.tanh(self.Wxh @ xs[t] + self.Whh @ hs[t - 1] + self.bh)
            ys = self.Why @ hs[t] + self.by
            ps[t] = np.exp(ys) / np.sum(np.exp(ys))
            loss += -np.log(ps[t][targets[t], 0])

        dWxh, dWhh, dWhy = np.zeros_like(self.Wxh), np.zeros_like(self.Whh), np.zeros_like(self.Why)
        dbh, dby = np.zeros_like(self.bh), np.zeros_like(self.by)
        dhnext = np.zeros_like(hprev)
        for t in reversed(range(len(inputs))):
            dy = np.copy(ps[t])
            dy[targets[t]] -= 1
            dWhy += dy @ hs[t].T
            dby += dy
            dh = self.Why.T @ dy + dhnext
            draw = (1 - hs[t] ** 2) * dh
            dbh += draw
            dWxh += draw @ xs[t].T
            dWhh += draw @ hs[t].T
            dhnext = self.Whh.T @ draw
        return loss, dWxh, dWhh, dWhy, dbh, dby, hs[len(inputs) - 1]

    def train(self, text, steps=600):
        p, hprev = 0, np.zeros((self.hidden, 1))
        smooth = -np.log(1 / self.vocab) * self.seq_length
        for n in range(steps):
            if p + self.seq_length + 1 >= len(text):
                p, hprev = 0, np.zeros((self.hidden, 1))
            inputs = [index[c] for c in text[p : p + self.seq_length]]
            targets = [index[c] for c in text[p + 1 : p + self.seq_length + 1]]
            loss, dWxh, dWhh, dWhy, dbh, dby, hprev = self.step(inputs, targets, hprev)
            smooth = 0.95 * smooth + 0.05 * loss
            if n % 100 == 0:
                print(n, smooth)
            for param, dparam in zip(
                [self.Wxh, self.Whh, self.Why, self.bh, self.by], [dWxh, dWhh, dWhy, dbh, dby]
            ):
                param -= self.lr * dparam
            p += self.seq_length


if __name__ == "__main__":
    model = CharRNN(len(chars))
    model.train(text)
