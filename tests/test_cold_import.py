"""`import backpropdoctor` costs nothing: names are resolved when they are used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import backpropdoctor

HEAVY = "numpy", "scipy", "pytest", "_pytest", "hypothesis", "click", "jinja2", "tabulate", "IPython", "torch", "jax"


def run(code: str) -> str:
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def loaded_after(statement: str) -> set[str]:
    listed = run(f"{statement}\nimport sys; print(*{{name.split('.')[0] for name in sys.modules}})")
    return set(listed.split()) & set(HEAVY)


def own_modules_after(statement: str) -> list[str]:
    listed = run(f"{statement}\nimport sys; print(*sorted(sys.modules))")
    return [name for name in listed.split() if name.startswith("backpropdoctor")]


def test_the_import_loads_nothing_heavy():
    assert loaded_after("import backpropdoctor") == set()
    assert own_modules_after("import backpropdoctor") == ["backpropdoctor"]


def test_the_guard_sees_a_heavy_import():
    assert loaded_after("import backpropdoctor, numpy") == {"numpy"}


def test_listing_the_names_loads_nothing():
    assert loaded_after("import backpropdoctor; dir(backpropdoctor); backpropdoctor.__all__") == set()


@pytest.mark.parametrize("name", backpropdoctor.__all__)
def test_every_public_name_resolves(name):
    assert getattr(backpropdoctor, name) is not None
    assert name in dir(backpropdoctor)


@pytest.mark.parametrize("name", ["check", "check_gradient", "Report"])
def test_no_name_loads_a_framework_or_a_test_tool(name):
    assert loaded_after(f"from backpropdoctor import {name}") <= {"numpy"}


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="chekc"):
        backpropdoctor.chekc  # noqa: B018
