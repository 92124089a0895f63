"""Nested parameters as named leaves, and back."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import pytest

from backpropdoctor.tree import Foreign, Step, flatten, get, path_name, put, replaced

Pair = namedtuple("Pair", "w b")


@dataclass(frozen=True)
class Frozen:
    w: np.ndarray
    name: str = "dense"
    more: dict = field(default_factory=dict)


class Slotted:
    __slots__ = ("w", "unset")

    def __init__(self, w):
        self.w = w


class Net:
    def __init__(self):
        self.W = np.ones((2, 2))
        self.layers = [Slotted(np.zeros(3)), {"b": 0.5}]
        self.params = {"W": self.W}
        self.me = self


@pytest.mark.parametrize(
    ("tree", "names"),
    [
        ({"W1": np.ones(2), "b1": 0.5}, ["W1", "b1"]),
        ({1: np.ones(2), ("a", 2): 0.5}, ["params[1]", "params[('a', 2)]"]),
        ([np.ones(2), (np.ones(1), 2.0)], ["params[0]", "params[1][0]", "params[1][1]"]),
        ({"enc": {"W": np.ones(1)}}, ["enc['W']"]),
        ([[0.1, 0.2], [0.3, 0.4]], ["params"]),
        ([[0.1], [0.2, 0.3]], ["params[0]", "params[1]"]),
        (Pair(np.ones(1), 1.0), ["w", "b"]),
        (Frozen(np.ones(1), more={"v": np.ones(2)}), ["w", "more['v']"]),
        (np.float32(1), ["params"]),
        ({"f": "relu", "g": len, "n": None, "flag": True}, []),
        ([], []),
    ],
)
def test_leaves_are_named_as_people_write_them(tree, names):
    assert [leaf.name for leaf in flatten(tree)] == names


def test_an_array_in_two_places_is_one_leaf_and_is_replaced_in_both():
    net = Net()
    leaf = flatten(net)[0]
    assert (leaf.name, len(leaf.paths)) == ("W", 2)
    fresh = replaced(net, dict.fromkeys(leaf.paths, np.full((2, 2), 7.0)))
    assert fresh.W is fresh.params["W"] and fresh.W[0, 0] == 7
    assert net.W[0, 0] == 1 and fresh.me is fresh


def test_attributes_are_not_declared_but_entries_and_fields_are():
    declared = {leaf.name: leaf.declared for leaf in flatten({"net": Net(), "w": np.ones(1)})}
    assert declared["w"] and not declared["net.W"] and not declared["net.layers[0].w"]
    assert flatten(Frozen(np.ones(1)))[0].declared


@pytest.mark.parametrize(
    "tree",
    [
        {"a": np.ones(2), "b": [np.zeros(1), 3.0]},
        OrderedDict(a=np.ones(2)),
        MappingProxyType({"a": np.ones(2)}),
        Pair(np.ones(1), 2.0),
        (1.0, [2.0, 3.0]),
        Frozen(np.ones(3)),
        Slotted(np.ones(3)),
    ],
)
def test_a_replaced_structure_shares_no_array_and_has_the_same_type(tree):
    leaves = flatten(tree)
    fresh = replaced(tree, {leaves[0].paths[0]: np.array(9.0)})
    assert type(fresh) is type(tree) or isinstance(fresh, dict)
    assert get(fresh, leaves[0].paths[0]) == 9
    for leaf in leaves:
        assert get(tree, leaf.paths[0]) is leaf.value
        if isinstance(leaf.value, np.ndarray):
            assert get(fresh, leaf.paths[0]) is not leaf.value


def test_put_reaches_keys_indices_attributes_and_frozen_fields():
    tree = {"a": [0.0, Slotted(1.0)], "f": Frozen(np.ones(1))}
    put(tree, (Step("key", "a"), Step("index", 0)), 5.0)
    put(tree, (Step("key", "a"), Step("index", 1), Step("attribute", "w")), 6.0)
    put(tree, (Step("key", "f"), Step("attribute", "w")), 7.0)
    assert (tree["a"][0], tree["a"][1].w, tree["f"].w) == (5.0, 6.0, 7.0)
    with pytest.raises(TypeError):
        put((1.0,), (Step("index", 0),), 2.0)


def test_another_packages_tensor_is_named_not_guessed_at():
    class Tensor:
        shape, dtype = (2,), "float32"

    with pytest.raises(Foreign) as caught:
        flatten({"W": Tensor()})
    assert caught.value.args[0] == "W"


def test_names_of_paths():
    assert path_name(()) == "params"
    assert path_name((Step("index", 0), Step("attribute", "W"))) == "params[0].W"
    assert path_name((Step("key", "a b"),)) == "params['a b']"
