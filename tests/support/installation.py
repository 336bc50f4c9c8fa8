"""ecgmon installed from a wheel, in a folder that replaces the root of a machine."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.subprocesses import ecgmon, environment, shell

ROOT = Path(__file__).parents[2]
BUILD_S = 300
"""Longest build of a wheel, which fetches the build backend."""


def wheel(folder, commit=None):
    """Build the wheel of a commit, or of the working tree; skips where that cannot be."""
    folder.mkdir()
    source = ROOT
    if commit is not None:
        source = folder / "source"
        source.mkdir()
        archive = f"git -C {ROOT} archive {commit} | tar -x -C {source}"
        if shell(f"set -o pipefail; {archive}", dict(os.environ)).code != 0:
            pytest.skip(f"needs the history of the repository, with commit {commit}")
    build = f"{sys.executable} -m pip --disable-pip-version-check wheel --no-deps"
    build += f" --wheel-dir {folder} {source}"
    constraints = {"PIP_CONSTRAINT": str(ROOT / "constraints.txt")}
    done = shell(build, os.environ | constraints, BUILD_S)
    if "No matching distribution found for hatchling" in done.err:
        pytest.skip("needs the package index, for the build backend")
    assert done.code == 0, done.err
    (built,) = folder.glob("ecgmon-*.whl")
    return built


class Installation:
    """A virtual environment at ``opt/ecgmon``, and the places of the service, as service.md has it.

    Packages of others are those of the environment that runs the tests, so that nothing is fetched.
    """

    def __init__(self, root):
        self.root, self.home = root, root / "home"
        self.state = root / "var" / "lib" / "private" / "ecgmon"
        for folder in ("opt", "etc/systemd/system", "etc/ecgmon", "etc/credstore", "home", "tmp"):
            (root / folder).mkdir(parents=True)
        self.state.mkdir(parents=True)
        (root / "var" / "lib" / "ecgmon").symlink_to(self.state)  # as systemd does it
        self.env = environment(
            self.home,
            ECGMON_STATE=root / "var" / "lib" / "ecgmon",
            TMPDIR=root / "tmp",
            PYTHONDONTWRITEBYTECODE=1,
            ECGMON_CONFIG=root / "etc" / "ecgmon" / "ecgmon.toml",
        )
        self.env.pop("PYTHONPATH", None)
        venv = root / "opt" / "ecgmon"
        self.python, self.program = venv / "bin" / "python", venv / "bin" / "ecgmon"
        made = shell(f"{sys.executable} -m venv --without-pip {venv}", self.env)
        assert made.code == 0, made.err
        (self.packages,) = (venv / "lib").glob("python*/site-packages")
        borrowed = [path for path in sys.path if path.endswith("site-packages")]
        (self.packages / "borrowed.pth").write_text("\n".join(borrowed) + "\n")

    def install(self, built):
        """Install a wheel, over another one if there is one."""
        # The packages that are borrowed hold an ecgmon, too, which pip must not take for this one.
        first = "" if self.program.exists() else "--ignore-installed"
        line = f"{self.python} -m pip --disable-pip-version-check install --no-index --no-deps"
        pip = {"PYTHONWARNINGS": "", "HOME": str(self.root.parent)}  # its cache is not ours
        done = shell(f"{line} {first} {built}", self.env | pip, BUILD_S)
        assert done.code == 0, done.err

    def says(self, *args, patience_s=300, code=0):
        """Run a command of the installed version, which must end well; returns what it wrote."""
        done = ecgmon(*args, env=self.env, program=self.program, patience_s=patience_s)
        assert done.code == code, (args, done.out, done.err)
        return done.out

    def imported(self):
        """Return which of our packages are there."""
        return {path.name for path in self.packages.iterdir() if (path / "__init__.py").is_file()}

    def units(self):
        """Put the units where they belong."""
        for path in (ROOT / "systemd").glob("*.service"):
            shutil.copy(path, self.root / "etc" / "systemd" / "system")

    def left(self):
        """Return the files that are there, without the packages of an installation."""
        files = (path for path in self.root.rglob("*") if not path.is_dir())
        return sorted(str(path.relative_to(self.root)) for path in files)
