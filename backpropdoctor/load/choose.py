"""Which loss the gradients of a training step belong to: the script's own where any gradient fits it, else a standard one.

A loss that the script computes and no gradient fits is only its own last resort; a guessed one that nothing fits is none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice

import numpy as np

from ..tape.adjoint import Claim
from ..tape.own_loss import function_of
from ..tape.replay import Replay
from ..tape.training import Held, LossFound, Training
from .any_loss import wrong_under_any
from .begins import begins_with
from .bootstrapped import with_targets_held
from .conventions import is_loss_name, is_maximised_name, plain_word
from .deltas import meant_among
from .joint import joint_loss
from .losses import Output, implied_losses, named_losses
from .penalties import is_whole, penalised, scaled_loss, with_penalties
from .pieces import fits_in_part
from .residuals import is_residual
from .rivals import is_distance, is_objective_name, is_of_part, rival_of, rival_of_part
from .seeds import seeded_loss

_MOST_LOSSES = 8  # candidates that are measured; the list is sorted by likelihood


def choose_loss(
    training: Training,
    declared: str | None,
    borders: Collection[int],
    totals: Collection[int] = (),
    without: Collection[int] = (),
    *,
    standard: bool = True,
) -> LossFound | None:
    """The loss that the gradients belong to: the likeliest named one that any gradient fits, else an implied one.

    Losses made at the sites (their ids) in `without` were seen to fit by chance only; `standard` ones may be tried.
    """
    if not training.parameters:
        return None
    named = [loss for loss in candidates(training, declared, borders, totals) if _site(loss) not in without]
    parts = [loss for loss in named if is_of_part(training.replay, loss)]  # of these it is not sure what they hold besides
    named = [loss for loss in named if loss not in parts]
    if declared is not None:
        return with_penalties(training, _as_climbed(training, named[0])) if named else None
    begun = seeded_loss(training, borders)
    if begun is not None:
        return with_penalties(training, begun)
    fitting = _best_fitting(training, [loss for loss in named if _named_as_loss(training, loss)])
    if fitting is None:
        others = [(score(training, loss), -k, loss) for k, loss in enumerate(named) if not _named_as_loss(training, loss)]
        top, _, fitting = max(others, default=((0, 0, 0), 0, None), key=lambda o: o[:2])
        fitting = fitting if top[0] > 0 else None
        if fitting is not None and not top[1] and standard and standard_beside(training, fitting) is not None:
            fitting = None
    fitting = _as_meant(training, fitting, named, partial(candidates, training, None, borders, totals, whole=False))
    beside = _begun_elsewhere(training, borders, totals) if fitting is None else None
    if beside is not None and score(training, beside)[1] > 0:
        fitting = beside
    training.rival = training.same = None
    implied = _implied(training) if fitting is None and standard else None
    if implied is not None:
        rival = rival_of(training, named, implied[1])
        if rival is None:
            rival, training.same = rival_of_part(training, parts, *implied)
        training.rival = replace(rival, loss=with_penalties(training, rival.loss)) if rival is not None else None
        return with_penalties(training, implied[0])
    chosen = fitting or next((loss for loss in named if _named_as_loss(training, loss)), None)
    chosen = chosen or next((loss for loss in named if fits_in_part(training, loss)), None)
    chosen = chosen or next((loss for loss in named if begins_with(training, loss)), None)
    chosen = chosen or beside
    return with_penalties(training, _as_climbed(training, chosen)) if chosen is not None else None


def _begun_elsewhere(training: Training, borders: Collection[int], totals: Collection[int]) -> LossFound | None:
    """The loss of all parameters, where the gradients take in data that it does not: the error may be of the wrong value."""
    canonical = training.replay.canonical
    for loss in candidates(training, None, borders, totals, whole=False):
        origins = {canonical[i] for i in _ends(training)[1]}
        shared = loss.nodes & _begun(training, borders)
        if shared and loss.nodes >= origins and _named_as_loss(training, loss):
            return loss
    return None


def _begun(training: Training, borders: Collection[int]) -> set[int]:
    """Where the forward pass of what the gradients are made of begins."""
    gradients, origins = _ends(training)
    return _first_readers(training.replay, gradients, origins, borders)


def _ends(training: Training) -> tuple[list[int], list[int]]:
    """The nodes of the gradients, and those of the parameters."""
    held = training.parameters
    return [i for h in held for i in h.claim.gradient_nodes], [i for h in held for i in h.tensor.nodes]


def _as_climbed(training: Training, loss: LossFound) -> LossFound:
    """The negative of what is called a likelihood or a reward, where the updates go up it: that is what they minimise.

    Where no gradient tells, it is so if the updates add what they are made of. What nobody calls a loss is climbed if all
    updates add a gradient of it.
    """
    parallel, _, along = score(training, loss)
    added = [h for h in training.parameters if all(t.factor < 0 for terms in h.claim.terms for t in terms)]
    if not is_maximised_name(plain_word(loss.name)):
        all_up = parallel == len(added) == len(training.parameters) and not along
        return scaled_loss(loss, -1.0) if all_up and not _named_as_loss(training, loss) else loss
    if not parallel:
        parallel, along = len(training.parameters), len(training.parameters) - len(added)
    return scaled_loss(loss, -1.0) if parallel > 2 * along else loss


def standard_beside(training: Training, own: LossFound) -> LossFound | None:
    """The standard loss that a gradient equals, where the own number is no loss by its name and no squared distance.

    It is asked for where no gradient equals that of the own number: if the output is one number, the gradients of all
    functions of it are parallel. None where the own number is the likelier loss all the same.
    """
    implied = _implied(training) if own.source == "found" and not is_objective_name(own) else None
    if implied is None or not score(training, implied[0])[1] or is_distance(training, own, implied[1]):
        return None
    return with_penalties(training, implied[0])


def loss_of_error(training: Training) -> LossFound | None:
    """Where no loss is known and gradients are wrong under every one: the standard loss that the error belongs to."""
    last = _output_parameter(training)
    return None if last is None else wrong_under_any(training, last)


def _best_fitting(training: Training, named: Sequence[LossFound]) -> LossFound | None:
    """The first loss that any gradient fits, or another one that more of them fit and that is no part of it.

    What is only a part (the error of the data without a penalty) may fit more gradients because the rest is forgotten.
    """
    best: LossFound | None = None
    most = 0
    for loss in named:
        if most == len(training.parameters):
            break
        if best is None or loss.objective.nodes[0] not in best.nodes:
            fits = score(training, loss)[0]
            if fits > most:
                best, most = loss, fits
    return best


def _as_meant(
    training: Training, fitting: LossFound | None, named: Sequence[LossFound], parts: Callable[[], list[LossFound]]
) -> LossFound | None:
    """The loss, or what more gradients fit: one with its bootstrapped targets held still, the sum of several.

    `parts` gives the losses that may be one of several.
    """
    best = score(training, fitting)[0] if fitting is not None else 0
    if not named or best == len(training.parameters):
        return fitting
    losses = [with_targets_held(training, loss, named) or loss for loss in named]
    for loss in losses:
        if loss.held_still and (fitting is None or loss.site is fitting.site):
            fits = score(training, loss)[0]
            if fits > best:
                fitting, best = loss, fits
    named_too = [
        loss for loss in parts() if _named_as_loss(training, loss) and all(loss.site is not known.site for known in named)
    ]
    losses += [with_targets_held(training, loss) or loss for loss in named_too]
    joint = joint_loss(training, losses, score)
    return joint if joint is not None and score(training, joint)[0] >= best else fitting


def candidates(
    training: Training,
    declared: str | None,
    borders: Collection[int],
    totals: Collection[int] = (),
    *,
    whole: bool = True,
) -> list[LossFound]:
    """The scalars of the script that may be the loss of a step, the likeliest first; not `whole`: or a part of it."""
    replay, held = training.replay, training.parameters
    gradients, origins = _ends(training)
    readers = _begun(training, borders)
    live = replay.downstream(origins)
    named = named_losses(replay, origins, borders, totals, replay.upstream(gradients), declared, _slots(held))
    likely = (
        replace(loss, running=loss.objective.nodes[0] in totals)
        for loss in named
        if declared
        or not (is_residual(replay, loss, live) or (whole and not (readers <= loss.nodes and _covers(loss, origins, replay))))
    )
    return list(islice(likely, _MOST_LOSSES))


def _implied(training: Training) -> tuple[LossFound, list[Output]] | None:
    """The standard loss that most gradients fit, that of the output layer before all others, and what it compares."""
    gradients, origins = _ends(training)
    last = _output_parameter(training)
    scored = []
    for loss, outputs in implied_losses(training.replay, gradients, origins):
        fits_last = last is not None and _fits_one(training, loss, last)
        scored.append((fits_last, score(training, loss), loss, outputs))
    fitting = [s for s in scored if s[1][0] > 0]
    if fitting:
        best = max(fitting, key=lambda s: s[:2])
        beside = [s[2] for s in fitting if s[3] is best[3]]
        meant = meant_among(training, beside, best[3])
        chosen = max((s for s in fitting if any(s[2] is loss for loss in meant)), key=lambda s: s[:2])
        others = sorted((s for s in fitting if s[3] is not chosen[3]), key=lambda s: s[:2], reverse=True)
        joint = joint_loss(training, [chosen[2], *(s[2] for s in others)], score) if others else None
        if joint is not None and score(training, joint)[0] > chosen[1][0]:
            return joint, [o for s in (chosen, *others) for o in s[3]]
        return chosen[2:]
    return None


def fits_by_chance(training: Training, others: Sequence[Training], borders: Collection[int], totals: Collection[int]) -> bool:
    """Whether the loss of a step, made at the same place in another step, is one that no gradient fits there."""
    loss = training.loss
    if loss is None or loss.source != "found":
        return False
    parallel, right, _ = score(training, loss)
    if right or not parallel:
        return False
    for other in others:
        if other is not training:
            same = [c for c in candidates(other, None, borders, totals) if _site(c) == _site(loss)]
            if same:
                return all(score(other, c)[0] == 0 for c in same)
    return False


def _site(loss: LossFound) -> int | None:
    return loss.site.id if loss.site is not None else None


def _claim(training: Training, loss: LossFound, held: Held) -> Claim:
    """What of a gradient belongs to a loss: without the penalties that the loss does not hold."""
    bare = held.penalties and not any(penalised(training.replay, loss, p.node) for p in held.penalties)
    return held.data_claim if bare and not is_whole(training, loss, held) else held.claim


def _named_as_loss(training: Training, loss: LossFound) -> bool:
    """Whether a scalar is called a loss or a likelihood, or is made by the function `f` of a script that calls `grad_f`."""
    word = plain_word(loss.name)
    return (
        is_loss_name(word)
        or is_maximised_name(word)
        or any(function_of(s.function, (word,)) for s in training.replay.tape.scopes.values())
    )


def _covers(loss: LossFound, origins: Sequence[int], replay: Replay) -> bool:
    return sum(replay.canonical[o] in loss.nodes for o in origins) * 2 >= len(origins)


def score(training: Training, loss: LossFound) -> tuple[int, int, int]:
    """How many gradients are parallel to those of this loss (numbers count where they share a ratio), equal, and along."""
    parallel = right = along = 0
    numbers: list[float] = []
    for held in training.parameters:
        ratio = training.adjoints.ratio(_claim(training, loss, held), loss.objective)
        if ratio is None or ratio.zero or not ratio.value:
            continue
        right += ratio.right
        along += ratio.value > 0
        if ratio.right or _size(training, held) > 1:
            parallel += 1
        else:
            numbers.append(ratio.value)
    shared = (sum(abs(a - b) <= 1e-6 * abs(b) for a in numbers) for b in numbers)
    return parallel + max((n for n in shared if n > 1), default=0), right, along


def _fits_one(training: Training, loss: LossFound, held: Held) -> bool:
    ratio = training.adjoints.ratio(_claim(training, loss, held), loss.objective)
    return ratio is not None and bool(ratio.value) and not ratio.zero


def _output_parameter(training: Training) -> Held | None:
    """The parameter that the forward pass reads last: the output layer's."""
    consumers = training.replay.consumers

    def first_read(held: Held) -> int:
        return min((i for node in held.tensor.nodes for i in consumers.get(node, ())), default=-1)

    several = [h for h in training.parameters if _size(training, h) > 1]
    return max(several, key=first_read, default=None)


def _size(training: Training, held: Held) -> int:
    return sum(int(np.size(training.replay.tape.nodes[i].value)) for i in held.tensor.nodes)


def _first_readers(replay: Replay, gradients: Sequence[int], origins: Sequence[int], borders: Collection[int]) -> set[int]:
    """Where the computation behind the gradients takes in data with a parameter: the start of the forward pass.

    A loss that the gradients may belong to depends on all of these; one over other data depends on none. What went into
    another parameter before that was updated (`borders`) belongs to another forward pass.
    """
    starts = {replay.canonical[o] for o in origins}
    live = replay.downstream(origins)
    found = set()
    made = {replay.canonical[i] for i in gradients}
    for i in replay.upstream(gradients, barrier=(starts | set(borders)) - made):
        if i not in live:
            continue
        inputs = replay.inputs(i)
        data = [j for j in inputs if j not in live and np.size(replay.tape.nodes[j].value) > 1]
        if any(j in starts for j in inputs) and data and all(j in starts or j not in live for j in inputs):
            found.add(i)
    return found


def _slots(held: Sequence[Held]) -> set[str]:
    """The attributes and containers that gradients stand in: what else stands there is no loss."""
    found = set()
    for h in held:
        if "." in h.name:
            found.add(h.name.split(".")[-1].split("[")[0])
    return found
