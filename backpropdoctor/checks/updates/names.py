"""Which gradient belongs to which parameter by name, which key was meant, and what reads like a parameter at all.

Names are hints: a pair counts only between values whose shapes can be combined.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence

Parts = tuple[Hashable, ...]

_PREFIX = re.compile(r"^_*(?:grads?_?of_|grad(?:ient)?s?_?|nabla_?|delta_|dL_?d|dJ_?d|dC_?d|dE_?d|d_?|g_?)(?=\w)")
_SUFFIX = re.compile(r"_?(?:grad(?:ient)?s?|nabla|delta|_bar)_*$", re.IGNORECASE)
_GRADIENT = re.compile(
    r"^_*(?:grad(?:ient)?s?\w*|\w*_grad(?:ient)?s?|nabla\w*|delta\w*|\w*_delta|d[A-Z]\w*|d_\w+|d(?:w|b|x|z|a|h|u|v|theta)(?:\d*\w?|_\w+)|"
    r"dL_?\w+|dJ_?\w+|err(?:or)?s?\d*|er|g|dparams?)$"
)
_PARAMETER = re.compile(
    r"^_*(?:[wb]|[WUVB]|weights?|bias(?:es)?|theta|gamma|beta|kernels?|filters?|emb(?:ed(?:ding)?s?)?|syn|coef|params?|"
    r"w[ihxoy]{2}|[WUV][a-z]{1,2}|b[a-z])(?:_?\w{0,8})?_*$"
)
_SETTING = re.compile(
    r"^_*(?:lr|learning_?rate|eta|alpha|step_?size|epsilon|eps|decay|lambda_?|lam|reg|momentum|n_\w+|num_\w+|size|batch\w*|"
    r"epochs?|iterations?|dims?|layers?|shape|seed|m|n|L|t|dropout|keep_prob|beta_?1|beta_?2|gamma_lr|rho|mu)$"
)


def is_gradient_name(name: Hashable) -> bool:
    """True for what people call a gradient or the error signal of a layer: `dW1`, `grad_b`, `nabla_w`, `delta2`."""
    return isinstance(name, str) and bool(_GRADIENT.match(name)) and name not in ("data", "dim", "d", "delay", "decay")


def is_derivative_name(name: str) -> bool:
    """True for what says that it is a derivative of the loss: `dW1`, `self.dW[2]`, `grads['W']`; not for `delta` or `error`."""
    words = re.findall(r"[^\W\d]\w*", name)
    return any(is_gradient_name(w) and not re.search(r"delta|err|^er$|^g$", w, re.IGNORECASE) for w in words)


def is_parameter_name(name: Hashable) -> bool:
    """True for what people call a weight or a bias, and for nothing that reads like a gradient or a setting."""
    return isinstance(name, str) and bool(_PARAMETER.match(name)) and not is_gradient_name(name)


def is_setting_name(name: Hashable) -> bool:
    """True for a learning rate, a size or another number that no training step changes."""
    return isinstance(name, str) and bool(_SETTING.match(name))


def last_word(parts: Parts) -> str:
    """The last string of a name taken apart: 'W' of ("self", "W", 2)."""
    return next((p for p in reversed(parts) if isinstance(p, str)), "")


def stems(word: str) -> list[str]:
    """The parameter names of which `word` may be the gradient, itself first."""
    found = [word]
    for pattern in (_PREFIX, _SUFFIX):
        stem = pattern.sub("", word)
        if stem and stem != word:
            found.append(stem.strip("_"))
    return found


def pair(parameters: Mapping[str, Parts], gradients: Mapping[str, Parts]) -> dict[str, str]:
    """For each parameter the gradient that belongs to it by its place or name; what is ambiguous is left out."""
    found = {p: p for p in parameters if p in gradients and parameters[p] == gradients[p]}
    for same_case in (True, False):
        keys: dict[Parts, list[str]] = {}
        for g, parts in gradients.items():
            if g not in found.values():
                for key in _keys(parts, same_case):
                    keys.setdefault(key, []).append(g)
        for p, parts in parameters.items():
            match = keys.get(_fold(parts, same_case), []) if p not in found else []
            if len(set(match)) == 1:
                found[p] = match[0]
    return _by_position(parameters, gradients, found)


def _keys(parts: Parts, same_case: bool) -> set[Parts]:
    at = next((i for i in reversed(range(len(parts))) if isinstance(parts[i], str)), None)
    if at is None:
        return {parts}
    return {_fold((*parts[:at], stem, *parts[at + 1 :]), same_case) for stem in stems(str(parts[at]))}


def _fold(parts: Parts, same_case: bool) -> Parts:
    return parts if same_case else tuple(p.lower().replace("_", "") if isinstance(p, str) else p for p in parts)


def _by_position(parameters: Mapping[str, Parts], gradients: Mapping[str, Parts], found: dict[str, str]) -> dict[str, str]:
    left = [p for p in parameters if p not in found]
    numbered = all(not isinstance(x, str) for parts in gradients.values() for x in parts)
    if left and not found and numbered and len(parameters) == len(gradients):
        return dict(zip(parameters, gradients, strict=True))
    return found


def nearest(key: Hashable, keys: Iterable[Hashable]) -> Hashable | None:
    """The one of `keys` that was probably meant by `key`: the same but for a gradient's affix, its case, or a slip."""
    known = list(keys)
    if isinstance(key, int) and not isinstance(key, bool):
        numbers = [k for k in known if isinstance(k, int)]
        return min(numbers, key=lambda k: abs(k - key), default=None)
    words = [k for k in known if isinstance(k, str)]
    for word in words:
        if str(key) in stems(word) or word in stems(str(key)):
            return word
    close = difflib.get_close_matches(str(key), words, n=1, cutoff=0.5)
    return close[0] if close else None


def listing(names: Sequence[Hashable], most: int = 8) -> str:
    """'dW1, db1, dW2 and 5 more': names or keys as they are, for a sentence."""
    shown = [str(n) for n in names[:most]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def are(names: Sequence[str]) -> str:
    """The verb that goes with a list of names."""
    return "are" if len(names) > 1 else "is"


def ticked(names: Sequence[str], most: int = 8) -> str:
    """'`W1`, `b1` and 2 more'."""
    shown = [f"`{n}`" for n in names[:most]]
    more = len(names) - len(shown)
    if more > 0:
        return ", ".join(shown) + f" and {more} more"
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + f" and {shown[-1]}" if shown else ""


def fit(gradient: Parts, parameter: Parts) -> int:
    """How well a gradient's name fits a parameter's: 3 for equal places but for the affix, 2 for the last word, else
    0."""
    g, p = gradient[-1], parameter[-1]
    if isinstance(g, str) and isinstance(p, str):
        inner = set(stems(g)) & {p} and (g != p or any(isinstance(x, str) and is_gradient_name(x) for x in gradient[:-1]))
        if not inner:
            return 0
        return 3 if gradient[:-1] == parameter[:-1] else 2
    if g == p and len(gradient) > 1 and len(parameter) > 1:
        holder, other = str(parameter[-2]), str(gradient[-2])
        if holder in stems(other) and holder != other:
            return 2
        return int(is_gradient_name(other) and not is_gradient_name(holder))
    return 0
