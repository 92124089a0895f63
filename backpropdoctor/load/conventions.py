"""The naming table: which names people give to gradients, parameters, losses, and to forward and backward passes.

Names are hints. A pairing by name holds only between values of fitting shape, and what it says is then measured.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Sequence

FORWARD_BACKWARD: tuple[tuple[str, str], ...] = (
    ("forward", "backward"),
    ("forward_pass", "backward_pass"),
    ("forwardpass", "backwardpass"),
    ("forward_propagation", "backward_propagation"),
    ("forward_propagate", "backward_propagate"),
    ("forward_prop", "backward_prop"),
    ("forwardprop", "backprop"),
    ("forward_prop", "back_prop"),
    ("forward", "backprop"),
    ("forward", "back"),
    ("forward", "backpropagate"),
    ("forward", "backpropagation"),
    ("feedforward", "backprop"),
    ("feed_forward", "backprop"),
    ("feed_forward", "back_prop"),
    ("feed_forward", "back_propagation"),
    ("propagate", "backpropagate"),
    ("fprop", "bprop"),
    ("fwd", "bwd"),
    ("apply", "vjp"),
    ("__call__", "backward"),
    ("__call__", "gradient"),
    ("activate", "derivative"),
)

LEARNING_RATES = frozenset(
    [
        "lr",
        "learning_rate",
        "learningrate",
        "learn_rate",
        "eta",
        "alpha",
        "step",
        "step_size",
        "stepsize",
        "rate",
        "lrate",
        "l_rate",
    ]
)
_RATE = re.compile(r"^(?:lr|eta|alpha|rate|lrate|learn(?:ing)?_?rate|step_?size)(?:_?\w+)?$|^\w+_(?:lr|rate|eta)$")
CACHES = frozenset(
    ["cache", "caches", "memory", "ctx", "context", "saved", "tape", "residuals", "residual", "state", "aux", "stored"]
)

# One concept, several spellings: a gradient called `nabla_w` belongs to `weights`.
_SYNONYMS = ({"w", "weight", "weights"}, {"b", "bias", "biases"}, {"g", "gamma"}, {"be", "beta"})

_BASES = (
    r"(?:w|b|x|h|z|a|u|v|c|y|s|q|k|g|o|i|f|t|l|theta|weights?|bias(?:es)?|gamma|beta|params?|out|scores?|input|inputs|"
    r"emb|embed(?:ding)?s?|filters?|kernels?|logits?|next|prev|hidden|probs?|alpha|mean|var|std|mu|sigma|loss|pred)"
)
_TAIL = r"(?:_?(?:[a-z]{1,2}|in|out|hidden|prev|next|hat|\d+))*"

_PREFIX = re.compile(
    r"^_*(?:(?:grad(?:ient)?s?|nabla|deriv(?:ative)?|partial|dl_?d|dj_?d|dc_?d|de_?d|dloss_?d?|dcost_?d?|derr(?:or)?_?d|d)_"
    r"|(?:grad(?:ient)?s?|nabla)(?=[A-Z])|(?:dL_?d|dJ_?d|dC_?d|dE_?d)(?=[A-Za-z])|∂|∇|[gd](?=[A-Z])|delta_?(?=[wWbB]))(?P<base>\w+)$"
)
_PLAIN_D = re.compile(rf"^_*d(?P<base>{_BASES}{_TAIL})$")
_SUFFIX = re.compile(r"^_*(?P<base>\w+?)_?(?:grad(?:ient)?s?|Grad(?:ient)?s?|nabla|delta|deriv(?:ative)?|bar)_*$")
_CONTAINER = re.compile(
    r"^_*(?:all_|new_|param(?:eter)?_?|weight_)?(?:grads?|gradients?|nablas?|deltas?|derivatives?|dparams?|d_params?|dtheta|"
    r"d_theta|d)_*$",
    re.IGNORECASE,
)
_CONTAINERS_ONLY = ("g", "gs")  # `g.W`, `g["W"]`; a `g` by itself may be a gate
_NOT_GRADIENTS = frozenset(
    [
        "data",
        "date",
        "datum",
        "dataset",
        "dict",
        "dim",
        "dims",
        "dimension",
        "depth",
        "degree",
        "delay",
        "denom",
        "dest",
        "device",
        "diff",
        "dir",
        "dist",
        "distance",
        "doc",
        "domain",
        "done",
        "down",
        "drop",
        "dropout",
        "dt",
        "dtype",
        "dump",
        "duration",
    ]
)
_LOSS = re.compile(
    r"^_*(?:\w+_)?(?:(?:total|train|training|batch|epoch|data|mean|avg|cur|current|this|final|my|sum|test|val|compute|calc|calculate|"
    r"get|new|step|iter|the|full)_?)*(?:loss(?:es)?|costs?|err(?:or)?s?|mse|sse|rmse|nll|bce|cce|xent|ce|objective|obj|"
    r"energy|logloss|criterion|cross_?entropy|(?:neg_)?log_?lik(?:elihood)?|j|e|l|"
    r"cout|perte|erreurs?|perdidas?|costes?|costos?|errores|custos?|perdas?|erros?|perdit[ae]|errore|verluste?|kosten|fehler|"
    r"verlies|kayip|kayiplar|maliyet|hata|hatalar|strata|koszt|blad|sunshi|daijia|wucha|sonshitsu|gosa|poterya|oshibka)"
    r"(?:_?(?:fn|func|function|value|val|sum|total|mean|history|epoch|train|t|i|\d+))*$",
    re.IGNORECASE,
)
_MAXIMISED = re.compile(
    r"likelihood|log_?lik|^ll$|log_?prob|elbo|reward|utility|fitness|vraisembl|verosi|verossi|recompens", re.IGNORECASE
)
_MADE_LESS = re.compile(r"neg|minus|loss|cost|err|nll", re.IGNORECASE)
_COTANGENT = re.compile(
    r"^_*(?:d\w*out\w*|d_?(?:y|z|a|h|c|s|o|l|x|e|p|v)\w*|dnext_?\w*|d(?=[A-Z])\w+|grads?|gradients?|delta\w*|upstream\w*|"
    r"cotangents?|adjoints?|g|gy|gz|dL\w*|dJ\w*|dE\w*|\w*grad\w*|\w*delta\w*|\w*error\w*|err|eps|top_?diff|"
    r"accum(?:ulated)?_?grad\w*|v|bar|\w+_bar|ct|backprop\w*|dvalues|next_?d\w*)$"
)


def parameter_of(name: str) -> tuple[str, ...]:
    """The names of which `name` may be the gradient, the likeliest first; () where it reads like no gradient.

    >>> parameter_of("dW1")[0], parameter_of("x_grad"), parameter_of("data")
    ('W1', ('x',), ())
    """
    if name.strip("_").lower() in _NOT_GRADIENTS:
        return ()
    found: list[str] = []
    for pattern in (_PREFIX, _PLAIN_D, _SUFFIX):
        match = pattern.match(name)
        if match and match["base"].strip("_"):
            found += _spellings(match["base"])
    return tuple(dict.fromkeys(found))


def _spellings(base: str) -> list[str]:
    """`base` and its other spellings: without outer underscores, `w` for `weights`, `w_1` for `w1`."""
    base = base.strip("_")
    found = [base]
    letters, digits = re.fullmatch(r"(.*?)_?(\d*)", base).groups()  # type: ignore[union-attr]
    for group in _SYNONYMS:
        if letters.lower() in group:
            found += [s + digits for s in sorted(group, key=len)]
            found += [s.upper() + digits for s in sorted(group, key=len)[:1]]
    if digits:
        found += [f"{letters}{digits}", f"{letters}_{digits}"]
    return list(dict.fromkeys(found))


def is_gradient_name(name: Hashable) -> bool:
    """True for a name (or a name taken apart, such as ("grads", "W1")) that people give to gradients."""
    if isinstance(name, tuple):
        if len(name) > 1 and isinstance(name[-1], str) and name[-2] in _CONTAINERS_ONLY:
            return True
        return any(is_gradient_name(part) or is_gradient_container(part) for part in name)
    return isinstance(name, str) and (bool(parameter_of(name)) or bool(_CONTAINER.match(name)) or name == "grad")


def is_gradient_container(name: Hashable) -> bool:
    """True for what people call a collection of gradients: `grads`, `gradients`, `nabla`, `deltas`."""
    return isinstance(name, str) and bool(_CONTAINER.match(name))


def is_loss_name(name: Hashable) -> bool:
    """True for a name that people give to the loss or to the function that computes it."""
    return isinstance(name, str) and bool(_LOSS.match(_unaccented(name)))


def is_maximised_name(name: str) -> bool:
    """True for what people make as large as they can: a likelihood, a reward; not for its negative.

    >>> is_maximised_name("log_likelihood"), is_maximised_name("neg_log_likelihood"), is_maximised_name("cost")
    (True, False, False)
    """
    word = _unaccented(name)
    return bool(_MAXIMISED.search(word)) and not _MADE_LESS.search(word)


def plain_word(name: str) -> str:
    """The word that says what a value is: of an attribute its last one, of a function's result the function's.

    >>> plain_word("self.losses[0]"), plain_word("triplet_loss()[0]")
    ('losses', 'triplet_loss')
    """
    return name.split(".")[-1].split("[")[0].removesuffix("()")


def _unaccented(name: str) -> str:
    """A name without its accents: `pérdida`, `coût`, `kayıp`."""
    return name if name.isascii() else unicodedata.normalize("NFKD", name.replace("ı", "i")).encode("ascii", "ignore").decode()


def is_cotangent_name(name: str) -> bool:
    """True for what people call the gradient that a backward pass receives: `dout`, `grad_output`, `dZ`, `delta`."""
    if name.strip("_").lower() in _NOT_GRADIENTS or is_cache_name(name):
        return False
    return bool(_COTANGENT.match(name)) or is_gradient_name(name)


def is_learning_rate(name: str) -> bool:
    """True for what people call a learning rate: `lr`, `eta`, `lr_w`, `self.learning_rate`."""
    word = name.split(".")[-1].split("[")[0].strip("_").lower()
    return word in LEARNING_RATES or bool(_RATE.match(word))


def is_cache_name(name: str) -> bool:
    """True for what people call the values a forward pass keeps for the backward pass."""
    return any(word in CACHES for word in name.lower().strip("_").split("_"))


def gradient_names(parameter_parts: Sequence[Hashable] | str) -> list[tuple[Hashable, ...]]:
    """Names, taken apart, under which the gradient of a parameter may stand; the likeliest first.

    ("params", "W1") gives ("grads", "dW1"), ("grads", "W1"), ("dW1",), … A caller that knows more names (all that a
    program has) asks `is_gradient_of` instead: this list holds the common ones only.

    >>> gradient_names(("self", "W"))[0]
    ('self', 'dW')
    """
    parts = (parameter_parts,) if isinstance(parameter_parts, str) else tuple(parameter_parts)
    at = next((i for i in reversed(range(len(parts))) if isinstance(parts[i], str)), None)
    if at is None:
        return []
    head, name, tail = parts[:at], str(parts[at]), parts[at + 1 :]
    found: list[tuple[Hashable, ...]] = [(*head, g, *tail) for g in spelled_gradients(name)]
    for container in ("grads", "gradients", "grad", "nabla", "d"):
        owner = (*head[:-1], container) if head else (container,)
        found += [(*owner, g, *tail) for g in (f"d{name}", name)]
    if name in ("data", "value", "val", "w"):
        found += [(*head, g, *tail) for g in ("grad", "gradient")]
    return list(dict.fromkeys(found))


def spelled_gradients(name: str) -> list[str]:
    """The common names of the gradient of a variable: `dW1`, `grad_W1`, `W1_grad`, …"""
    forms = (
        "d{}",
        "d_{}",
        "grad_{}",
        "{}_grad",
        "grad{}",
        "{}grad",
        "nabla_{}",
        "delta_{}",
        "delta{}",
        "{}_gradient",
        "gradient_{}",
        "dL_d{}",
        "dLd{}",
        "dL{}",
        "dJ_d{}",
        "dcost_d{}",
        "dloss_d{}",
        "g{}",
        "g_{}",
        "{}_delta",
        "D{}",
        "grads_{}",
        "{}_grads",
    )
    bases = [name.strip("_"), *_spellings(name)]
    return list(dict.fromkeys(form.format(base) for base in dict.fromkeys(bases) for form in forms))


def is_gradient_of(gradient_parts: Sequence[Hashable], parameter_parts: Sequence[Hashable]) -> int:
    """How well a name fits as the gradient of another, both taken apart: 3 spelled so, 2 a synonym, 0 not at all.

    >>> is_gradient_of(("grads", "dW1"), ("parameters", "W1")), is_gradient_of(("dW2",), ("W1",))
    (3, 0)
    """
    g_word, g_rest, g_head = _split(gradient_parts)
    p_word, p_rest, p_head = _split(parameter_parts)
    if g_rest != p_rest or g_word is None or p_word is None:
        return 0
    owners = parameter_of(g_word)
    plain = p_word.strip("_")
    if owners and plain == owners[0]:
        return 3
    if plain == g_word.strip("_") and any(is_gradient_container(part) for part in g_head) and g_head != p_head:
        return 3
    if g_word in ("grad", "gradient") and p_word in ("data", "value", "val") and g_head == p_head:
        return 3
    if plain in owners or plain.lower() in [o.lower() for o in owners]:
        return 2
    return 0


def _split(parts: Sequence[Hashable]) -> tuple[str | None, tuple[Hashable, ...], tuple[Hashable, ...]]:
    """The last word of a name, what follows it (indices), what stands before it."""
    parts = tuple(parts)
    for i in reversed(range(len(parts))):
        if isinstance(parts[i], str):
            return str(parts[i]), parts[i + 1 :], parts[:i]
    return None, parts, ()
