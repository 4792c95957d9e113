"""A project whose code is compiled: built for the image, and again for a patch that changes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.shop import BASE, PYPROJECT, Shop, patch_between

pytestmark = [pytest.mark.docker, pytest.mark.network]

SETUP = b"""\
from setuptools import Extension, setup

setup(packages=["tinyshop"], ext_modules=[Extension("tinyshop._sum", ["tinyshop/_sum.c"])])
"""
SOURCE = b"""\
#include <Python.h>

static PyObject *total(PyObject *self, PyObject *args) {
    long one, other;
    if (!PyArg_ParseTuple(args, "ll", &one, &other)) return NULL;
    return PyLong_FromLong(one - other);
}

static PyMethodDef methods[] = {{"total", total, METH_VARARGS, ""}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_sum", "", -1, methods};

PyMODINIT_FUNC PyInit__sum(void) { return PyModule_Create(&module); }
"""
FIXED = SOURCE.replace(b"one - other", b"one + other")
BROKEN = SOURCE.replace(b"one - other", b"one + ")
TEST = b"""\
from tinyshop._sum import total


def test_nothing():
    assert total(0, 0) == 0
"""
HIDDEN = TEST + b"\n\ndef test_total():\n    assert total(1, 2) == 3\n"
FILES = {
    **BASE,
    "pyproject.toml": PYPROJECT.split(b"[tool.setuptools]")[0]
    + b'[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n',
    "setup.py": SETUP,
    "tinyshop/_sum.c": SOURCE,
    "tests/test_sum.py": TEST,
}


def a_shop(root: Path, fix: bytes = FIXED, base: bytes = SOURCE) -> Shop:
    return Shop(
        root, "docker", base={**FILES, "tinyshop/_sum.c": base}, fix={"tinyshop/_sum.c": fix},
        tests={"tests/test_sum.py": HIDDEN}, run=("tests/test_sum.py",),
    )  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return a_shop(tmp_path_factory.mktemp("compiled"))


def test_a_fix_of_compiled_code_is_built_before_its_tests(shop: Shop):
    found = shop.verify()
    assert found.verified, found.reasons
    assert [one.id for one in found.fail_to_pass] == ["tests/test_sum.py::test_total"]
    assert found.pass_to_pass == ("tests/test_sum.py::test_nothing",)


def test_what_is_built_is_no_part_of_the_commit_and_of_no_patch(shop: Shop):
    piece = shop.prepared.piece
    assert piece.build is not None
    assert piece.build.reads("tinyshop/_sum.c")
    assert not piece.build.reads("tinyshop/money.py")
    assert not piece.lock_facts.left_out


def test_a_patch_that_does_not_build_fails(shop: Shop):
    marked = shop.grade(patch_between(FILES, {"tinyshop/_sum.c": BROKEN}))
    assert marked.verdict == "fail", marked
    assert b"the project does not build with this patch" in marked.log


def test_a_base_that_does_not_build_is_said_and_verification_decides(tmp_path: Path):
    shop = a_shop(tmp_path, base=BROKEN)
    (left,) = shop.prepared.piece.lock_facts.left_out
    assert left.why.startswith("its extensions do not build: ")
