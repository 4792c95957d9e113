"""Builds the demo repository from its patches, with the same hashes on every machine."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import git
import yaml

HERE = Path(__file__).parent
HISTORY = HERE / "history"

CONFIG = {
    ("user", "useConfigOnly"): "false",
    ("commit", "gpgSign"): "false",
    ("core", "autocrlf"): "false",
    ("core", "eol"): "lf",
    ("core", "fileMode"): "true",
    ("core", "hooksPath"): os.devnull,
    ("gc", "auto"): "0",
    ("i18n", "commitEncoding"): "UTF-8",
    ("merge", "renames"): "true",
}


def materialise(destination: Path) -> Path:
    """Build the demo repository at the destination and return its path.

    Does nothing if the repository is already there. Otherwise it is built beside the
    destination and moved into place, so that no half-built repository can be seen.
    """
    destination = Path(destination).absolute()
    series = load_series()
    if head_of(destination) == series["head"]:
        return destination
    destination.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{destination.name}-", dir=destination.parent))
    try:
        head = build(building, series)
        if head != series["head"]:
            raise RuntimeError(f"the demo repository came out as {head}, not {series['head']}")
        replace(building, destination)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return destination


def load_series() -> dict[str, Any]:
    """Read the order of the patches and how each got onto the main branch."""
    series: dict[str, Any] = yaml.safe_load((HISTORY / "series.yaml").read_text(encoding="utf-8"))
    return series


def head_of(path: Path) -> str | None:
    """The commit that a repository stands at; None if there is no repository."""
    if not (path / ".git").is_dir():
        return None
    try:
        with git.Repo(path) as repo:
            return repo.head.commit.hexsha
    except (git.GitError, ValueError):
        return None


def build(path: Path, series: Mapping[str, Any]) -> str:
    """Apply the whole series in an empty directory and return the final commit."""
    command = git.Git(path)
    command.update_environment(**quiet_environment(path))
    command.init("-q", "--template=")
    with git.Repo(path) as repo:
        repo.git.update_environment(**quiet_environment(path))
        repo.git.symbolic_ref("HEAD", "refs/heads/main")
        configure(repo)
        for step in series["steps"]:
            apply_step(repo, step, series["people"])
        return repo.head.commit.hexsha


def quiet_environment(path: Path) -> dict[str, str]:
    """Keep out the configuration of the user, of the machine and of a git that calls us."""
    return {
        "GIT_DIR": str(path / ".git"),
        "GIT_WORK_TREE": str(path),
        "GIT_INDEX_FILE": str(path / ".git" / "index"),
        "GIT_OBJECT_DIRECTORY": str(path / ".git" / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": "",
        "GIT_CONFIG_COUNT": "0",
        "GIT_CONFIG_PARAMETERS": "",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "TZ": "UTC",
        "LC_ALL": "C",
    }


def configure(repo: git.Repo) -> None:
    """Fix every setting that could change a commit."""
    with repo.config_writer() as config:
        for (section, option), value in CONFIG.items():
            config.set_value(section, option, value)


def apply_step(repo: git.Repo, step: Mapping[str, Any], people: Mapping[str, str]) -> None:
    """Put one commit or one pull request onto the main branch."""
    if step["how"] != "merge":
        apply_patches(repo, step["commits"], people)
        return
    repo.git.checkout("-q", "-b", step["branch"])
    apply_patches(repo, step["commits"], people)
    repo.git.checkout("-q", "main")
    with repo.git.custom_environment(**identity(step["merge"], people)):
        message = step["merge"]["message"]
        repo.git.merge("--no-ff", "--no-edit", "-q", "-m", message, step["branch"])
    repo.git.branch("-q", "-D", step["branch"])


def apply_patches(
    repo: git.Repo, commits: list[Mapping[str, Any]], people: Mapping[str, str]
) -> None:
    """Apply patches to the branch that is checked out, one commit each."""
    for commit in commits:
        with repo.git.custom_environment(**identity(commit, people)):
            repo.git.am("-q", "--no-gpg-sign", "--keep-cr", str(HISTORY / commit["patch"]))


def identity(entry: Mapping[str, Any], people: Mapping[str, str]) -> dict[str, str]:
    """Who commits, and when; authors of patches are named in the patches."""
    name, _, address = people[entry["committer"]].partition(" <")
    email = address.rstrip(">")
    return {
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_AUTHOR_DATE": entry["date"],
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": email,
        "GIT_COMMITTER_DATE": entry["date"],
    }


def replace(building: Path, destination: Path) -> None:
    """Move the new repository into place, whatever was there before."""
    if destination.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{destination.name}-old-", dir=destination.parent))
        destination.replace(old / destination.name)
        shutil.rmtree(old)
    building.replace(destination)
