"""Rules that keep the edge install small and the code safe.

The contracts in pyproject.toml define which package may import which (`make lint`).
"""

import ast
import os
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("ecgmon", "ecgmon_cli", "monitor", "viewer", "replay", "trainer")
PROGRAMS = {"monitor", "viewer", "replay", "trainer"}
TRAIN_ONLY = {
    "torch",
    "torchvision",
    "onnx",
    "onnxscript",
    "onnx_ir",
    "optuna",
    "matplotlib",
    "sklearn",
}
FILES = sorted(
    path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py")
)


@cache
def tree(path):
    return ast.parse((ROOT / path).read_text(), str(path))


def imports(path):
    """Modules that a file imports anywhere in it, however, as (module, line)."""
    for node in ast.walk(tree(path)):
        match node:
            case ast.Import(names=names):
                for name in names:
                    yield name.name, node.lineno
            case ast.ImportFrom(module=module, level=0, names=names):
                for name in names:
                    yield f"{module}.{name.name}", node.lineno
            case ast.Call(func=ast.Name(id="__import__"), args=[ast.Constant(value=name), *_]):
                yield name, node.lineno
            case ast.Call(
                func=ast.Attribute(attr="import_module"), args=[ast.Constant(value=name), *_]
            ):
                yield name, node.lineno


def offences(which):
    """Import statements that ``which(path, top-level module)`` calls wrong."""
    return [
        f"{path}:{line} imports {module}"
        for path in FILES
        for module, line in imports(path)
        if which(path, module.split(".")[0])
    ]


def test_all_code_is_looked_at():
    seen = {str(path) for path in FILES}
    assert {"ecgmon_cli/app.py", "ecgmon/signal/chain.py", "monitor/daemon.py"} <= seen
    assert {"trainer/networks/window_networks.py", "replay/player/device.py"} <= seen
    every = {module.split(".")[0] for path in FILES for module, _ in imports(path)}
    assert {"numpy", "torch", "zmq", "wfdb", *PACKAGES} <= every


def test_nothing_imports_the_tests_or_the_benchmarks():
    assert not offences(lambda _, module: module in {"tests", "benchmarks", "pytest", "hypothesis"})


def test_what_training_needs_is_imported_by_the_trainer_alone():
    lazy_check = Path("ecgmon_cli/train.py")
    assert not offences(
        lambda path, module: (
            module in TRAIN_ONLY
            and path.parts[0] != "trainer"
            and (path, module) != (lazy_check, "torch")
        )
    )
    at_import = {module for module, line in imports(lazy_check) if line in top_level(lazy_check)}
    assert "torch" not in at_import


def top_level(path):
    return {node.lineno for node in tree(path).body}


def test_a_command_loads_its_program_only_when_it_is_called():
    reached = closure(Path("ecgmon_cli/app.py"))
    assert {
        Path("ecgmon_cli", f"{command}.py") for command in ("replay", "serve", "train")
    } < reached
    heavy = PROGRAMS | TRAIN_ONLY | {"zmq", "wfdb", "onnxruntime", "scipy"}
    wrong = [
        f"{path}:{line} imports {module}"
        for path in reached
        for module, line in imports(path)
        if line in top_level(path) and module.split(".")[0] in heavy
    ]
    assert not wrong


def closure(path):
    """Files of ours that importing a file imports."""
    seen, queue = set(), [path]
    while queue:
        here = queue.pop()
        if here not in seen:
            seen.add(here)
            modules = [module for module, line in imports(here) if line in top_level(here)]
            queue += [file for module in modules for file in files_of(module)]
    return seen


def files_of(module):
    """Files of ours that importing a module, or a name from one, runs."""
    parts = module.split(".")
    folders = [Path(*parts[:n]) for n in range(1, len(parts) + 1)]
    names = [name for path in folders for name in (path / "__init__.py", path.with_suffix(".py"))]
    return [name for name in names if name in FILES]


HEAVY = (
    "torch onnx onnxruntime wfdb zmq scipy pandas requests matplotlib monitor viewer trainer replay"
)


def run(code, **environment):
    """Return the output of a new interpreter."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=os.environ | environment,
    )
    return done.stdout


def loaded_by(statement):
    """Modules of `HEAVY` that a new interpreter has loaded after a statement."""
    code = f"{statement}\nimport sys\nprint(*sorted(set({HEAVY.split()}) & set(sys.modules)))"
    return set(run(code).split())


def test_the_command_line_starts_without_any_program_or_heavy_library():
    assert loaded_by("import ecgmon_cli") == set()
    # The check can fail: it sees what is loaded.
    assert loaded_by("import zmq, replay") == {"zmq", "replay"}


def test_help_needs_none_of_them_either():
    help_text = (
        "import contextlib, io, sys\nsys.argv = ['ecgmon', '--help']\n"
        "from ecgmon_cli import main\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()) as out:\n"
        "    main()\n"
        "assert 'replay' in out.getvalue()"
    )
    assert loaded_by(help_text) == set()


@pytest.mark.thorough
def test_the_monitor_runs_without_what_training_needs():
    assert not loaded_by("import monitor.daemon, viewer.terminal") & {"torch", "onnx", "matplotlib"}


def test_the_signal_chain_needs_neither_network_nor_records():
    assert loaded_by("import ecgmon.signal") <= {"scipy"}


def test_a_message_needs_no_heavy_library():
    assert loaded_by("import ecgmon.wire.messages") == set()


@pytest.mark.thorough
def test_onnx_runtime_sends_no_telemetry(tmp_path):
    load = (
        "import ecgmon.models.bundle, pathlib; ecgmon.models.bundle.Model.load(pathlib.Path({!r}))"
    )
    model = str(ROOT / "ecgmon" / "models" / "built_in" / "generic.onnx")
    # Even if the environment allows it: its device id and database would lie here.
    run(load.format(model), XDG_CACHE_HOME=str(tmp_path), ORT_DISABLE_TELEMETRY="0")
    assert list(tmp_path.rglob("*")) == []
    bundle = Path("ecgmon/models/bundle.py")
    assert not offences(lambda path, module: module == "onnxruntime" and path != bundle)


def too_long(folder, most=300):
    """Python files in the folders of a project that have too many lines."""
    # In runs/ measurements keep what is none of the project's: other packages, other commits.
    folders = [path for path in folder.iterdir() if path.is_dir() and path.name != "runs"]
    folders = [path for path in folders if path.name[0] != "."]
    return {
        str(path.relative_to(folder)): count
        for path in [*folder.glob("*.py"), *(file for one in folders for file in one.rglob("*.py"))]
        if (count := len(path.read_text().splitlines())) > most
    }


def test_a_file_holds_one_idea_and_has_at_most_300_lines():
    """A file that grows beyond it has a second idea: give that a file of its own."""
    assert too_long(ROOT) == {}


def test_long_files_are_found(tmp_path):
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "long.py").write_text("x = 1\n" * 301)
    (tmp_path / "room" / "short.py").write_text("x = 1\n" * 300)
    assert too_long(tmp_path) == {"room/long.py": 301}


def test_no_two_classes_have_one_name():
    """A reader knows from a class name alone which class is meant."""
    files = Counter(
        (node.name, str(path))
        for path in FILES
        for node in tree(path).body
        if isinstance(node, ast.ClassDef)
    )
    names = Counter(name for name, _ in files)
    assert [one for one in files if names[one[0]] > 1] == []


def calls(path):
    """Calls in a file, as (dotted name of what is called, call)."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def called(*names, of=FILES):
    return [
        f"{path}:{call.lineno} calls {name}"
        for path in of
        for name, call in calls(path)
        if name in names
    ]


def test_calls_are_seen():
    assert called("len")
    assert called("msgspec.json.Encoder")


def test_nothing_prints_but_the_view():
    outside = [path for path in FILES if not path.is_relative_to("viewer/terminal")]
    assert not called("print", of=outside)


def test_nothing_unpickles():
    modules = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
    assert not offences(lambda _, module: module in modules)
    for path in FILES:
        for name, call in calls(path):
            words = {word.arg: ast.unparse(word.value) for word in call.keywords}
            assert words.get("allow_pickle") in (None, "False"), f"{path}:{call.lineno}"
            assert name != "torch.load" or words.get("weights_only") == "True", (
                f"{path}:{call.lineno}"
            )
            assert not name.endswith(("recv_pyobj", "send_pyobj")), f"{path}:{call.lineno}"


def test_nothing_is_evaluated_and_no_shell_is_asked():
    assert not called("eval", "exec", "compile", "os.system", "os.popen", "subprocess.getoutput")
    for path in FILES:
        for _, call in calls(path):
            shell = [ast.unparse(word.value) for word in call.keywords if word.arg == "shell"]
            assert shell in ([], ["False"]), f"{path}:{call.lineno}"
