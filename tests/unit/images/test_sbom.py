"""The bill of materials: valid, complete, and the same each time."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from micro_bench.images._builder import Installed
from micro_bench.images.described import DEBIAN, SUITE, WHEELS, installed
from micro_bench.images.sbom import ENVIRONMENT, TOOLS, sbom
from micro_bench.model.image import Image
from micro_bench.model.slice import Distribution, LeftOut, Slice

SHA = "ab" * 32
LOCK = (
    f"Foo.Bar==1.0 \\\n    --hash=sha256:{SHA} \\\n    --hash=sha256:{'cd' * 32}\n"
    f"plain==2.0 --hash=sha256:{'ef' * 32}\nhard==3 --hash=sha256:{'01' * 32}\n"
)
IMAGE = Image(
    task="parcel-17", key="1" * 64, env_key="2" * 64, tag="micro-bench/slice:1", python="3.11.2",
    digest="sha256:3", base_digest="sha256:4", backend="docker", work_tree="", work_commit="",
    left_out=(LeftOut(name="hard", version="3", why="does not build: no Rust"),),
)  # fmt: skip
PIECE = Slice.model_validate(
    {
        "schema_version": 1, "task": "parcel-17", "repo": "parcel-labs/parcel",
        "base_commit": "a" * 40, "base_tree": "b" * 40, "level": "package", "kept_files": 3,
        "total_files": 9, "kept": [], "left_out": [], "files_sha256": "c" * 64,
        "distributions": [
            Distribution(name="parcel", version="0.4", version_source="git tag", roots=("src",))
        ],
        "graph": "g.json",
        "environment": {
            "python": "3.11", "python_source": "x", "requirements": [],
            "before": "2024-05-01T10:00:00Z",
        },
    },
    strict=False,
)  # fmt: skip
HOLDS = Installed({"foo_bar-1.0-py3-none-any.whl": SHA}, ("git=1:2.39.5-0+deb12u2",), "bookworm")


def bill(image: Image = IMAGE, holds: Installed = HOLDS) -> str:
    return sbom(image, PIECE, {ENVIRONMENT: LOCK, TOOLS: "ruff==0.9\n"}, holds)


def parts() -> dict[str, Any]:
    return {part["bom-ref"]: part for part in json.loads(bill())["components"]}


def test_it_is_valid_and_the_same_each_time():
    assert JsonStrictValidator(SchemaVersion.V1_5).validate_str(bill()) is None
    assert bill() == bill()
    assert json.loads(bill())["specVersion"] == "1.5"
    other = Image.model_validate({**dict(IMAGE), "digest": "sha256:5"})
    assert json.loads(bill(other))["serialNumber"] != json.loads(bill())["serialNumber"]


def test_a_bill_that_is_none_is_found_out():
    broken = json.loads(bill())
    broken["components"][0]["hashes"] = "none"
    assert JsonStrictValidator(SchemaVersion.V1_5).validate_str(json.dumps(broken)) is not None


def test_a_package_has_the_hash_of_its_wheel_or_those_that_were_allowed():
    foo = parts()["/opt/venv:Foo.Bar"]
    assert foo["purl"] == "pkg:pypi/foo-bar@1.0?file_name=foo_bar-1.0-py3-none-any.whl"
    assert foo["hashes"] == [{"alg": "SHA-256", "content": SHA}]
    assert parts()["/opt/venv:plain"]["hashes"] == [{"alg": "SHA-256", "content": "ef" * 32}]
    assert parts()["/opt/tools:ruff"]["version"] == "0.9"


def test_what_was_left_out_is_named_with_its_reason_and_is_no_part():
    assert "/opt/venv:hard" not in parts()
    left = parts()["left-out:hard"]
    assert left["scope"] == "excluded"
    assert left["properties"] == [
        {"name": "micro-bench:left_out", "value": "does not build: no Rust"}
    ]
    (root,) = [d for d in json.loads(bill())["dependencies"] if d["ref"] == IMAGE.tag]
    assert "left-out:hard" not in root["dependsOn"]
    assert "project:parcel" in root["dependsOn"]


def test_debian_packages_have_their_versions_and_the_release():
    git = parts()["deb:git"]
    assert git["version"] == "1:2.39.5-0+deb12u2"
    assert git["purl"] == "pkg:deb/debian/git@1:2.39.5-0%2Bdeb12u2?distro=bookworm"


@pytest.mark.parametrize("labels", [{}, {DEBIAN: "", WHEELS: ""}])
def test_an_image_that_says_nothing_has_nothing_to_tell(labels: dict[str, str]):
    assert installed(labels) == Installed({}, ())


def test_labels_are_read_as_they_are_written():
    labels = {DEBIAN: "a=1 b=2", WHEELS: f"x-1-py3.whl={SHA}", SUITE: "trixie"}
    assert installed(labels) == Installed({"x-1-py3.whl": SHA}, ("a=1", "b=2"), "trixie")
