"""The public surface, one fact a line, read from the program itself and not from its text.

Nothing here depends on where in the packages a class lies, so that moves and renames of modules
change no line. ``python -m tests.surface.derived`` writes the pinned files anew.
"""

import ast
import urllib.request
from enum import Enum
from pathlib import Path
from typing import get_args

import msgspec
import numpy as np
import typer
from msgspec import inspect

from ecgmon.config import load
from ecgmon.config.entry import entries
from ecgmon.config.schema import SECTIONS, Wearer
from ecgmon.core.errors import EcgmonError, UsageError
from ecgmon.wire import Frame, messages
from ecgmon_cli.app import app
from ecgmon_cli.enroll import KEPT, UNFINISHED
from ecgmon_cli.status import HIGH_WAITS
from monitor.alarms.kinds import KINDS
from monitor.ops.prometheus import Metrics, MetricsServer
from tests.surface.state_folder import state_folder

ROOT = Path(__file__).parents[2]
PINNED = Path(__file__).with_name("pinned")
PACKAGES = ("ecgmon", "ecgmon_cli", "monitor", "viewer", "replay", "trainer")


def commands():
    """Every command with its arguments and options: spelling, kind of value, default."""
    return list(_commands(typer.main.get_command(app), "ecgmon"))


def _commands(command, path):
    yield path
    for param in command.params:
        if param.name != "help":
            yield f"{path} {_parameter(param)}"
    for name, inner in sorted(getattr(command, "commands", {}).items()):
        yield from _commands(inner, f"{path} {name}")


def _parameter(param):
    option = param.opts[0].startswith("-")
    spelling = "/".join([*param.opts, *param.secondary_opts]) if option else "argument"
    if option and param.is_flag:
        kind = "flag"
    else:
        kind = _kind(param.type_descriptor.annotation, param.min, param.max)
        kind += f" {param.metavar}" if param.metavar else ""
        kind += ", may be repeated" if option and param.multiple else ""
    default = param.default.value if isinstance(param.default, Enum) else param.default
    shown = param.show_default if isinstance(param.show_default, str) else default
    hidden = ", hidden" if param.hidden else ""
    required = ", required" if param.required else f", default {shown}"
    return f"{spelling}: {kind}{required}{hidden}"


def _kind(annotation, least, most):
    inner = [part for part in get_args(annotation) if part is not type(None)]
    if inner:
        return _kind(inner[0], least, most)
    if issubclass(annotation, Enum):
        return "|".join(member.value for member in annotation)
    span = (f" from {least}" if least is not None else "") + (f" to {most}" if most else "")
    return annotation.__name__.lower() + span


def environment():
    """Variables that the code reads by name, and those of configuration keys, tried for each."""
    read = {name for package in PACKAGES for file in _sources(package) for name in _read_in(file)}
    for section, table in SECTIONS.items():
        for key in entries(table):
            variable = f"ECGMON_{section}_{key}".upper()
            value = getattr(table(), key)
            text = ",".join(value) if isinstance(value, tuple) else str(value)
            loaded = load(Path("/dev/null"), (), {variable: text})
            assert loaded.origins == {(section, key): f"${variable}"}
            read.add(variable)
    return sorted(read)


def _sources(package):
    return sorted((ROOT / package).rglob("*.py"))


def _read_in(file):
    tree = ast.parse(file.read_text())
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        named = None
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("environ.get"):
            named = node.args[0]
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            named = node.slice if ast.unparse(node.value).endswith("environ") else None
        if named is not None:
            yield named.value if isinstance(named, ast.Constant) else constants[named.id]


def configuration():
    """Every key of every section with its type, bounds and default."""
    sections = {**SECTIONS, "wearers.ID": Wearer}
    return [
        f"[{name}] {field}"
        for name, section in sections.items()
        for field in _fields(inspect.type_info(section))
    ]


def sent():
    """Every message with who may send it, and its fields with types and defaults; one frame."""
    ways = {
        "from a device": messages.FromDevice,
        "to a device": messages.ToDevice,
        "from a viewer": messages.FromViewer,
        "to a viewer": messages.ToViewer,
    }
    lines = []
    for way, union in ways.items():
        for struct in inspect.type_info(union).types:
            lines.append(f"{way}: {struct.tag}")
            lines += [f"{way}: {struct.tag}.{field}" for field in _fields(struct)]
    published = inspect.type_info(messages.Published).types
    lines += [f"topic: {one}/" for one in dict.fromkeys(messages.subject(s.cls) for s in published)]
    frame = Frame(1, 360, 0, 360_000, 200.0, "I", np.array([-1, 256], np.int16))
    return [*lines, f"a frame: {frame.encode().hex()}"]


def _fields(struct):
    for field in struct.fields:
        default = "required"
        if field.default not in (msgspec.NODEFAULT, msgspec.UNSET):
            default = f"default {msgspec.json.encode(field.default).decode()}"
        elif field.default_factory is not msgspec.NODEFAULT:
            default = f"default {msgspec.json.encode(field.default_factory()).decode()}"
        elif not field.required:
            default = "may be left out"
        yield f"{field.encode_name}: {_type(field.type)}, {default}"


def _type(of):
    match of:
        case inspect.Metadata(type=inner):
            return _type(inner)
        case inspect.UnionType(types=types):
            return " or ".join(map(_type, types))
        case inspect.LiteralType(values=values):
            return "|".join(map(str, values))
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            return f"list of {_type(item)}" + _bounds(of, ("min_length", "max_length"))
        case inspect.StructType():
            return of.tag
    name = type(of).__name__.removesuffix("Type").lower()
    return name + _bounds(of, ("ge", "le", "gt", "lt", "min_length", "max_length", "pattern"))


def _bounds(of, names):
    given = {name: getattr(of, name, None) for name in names}
    return "".join(f" {name} {value}" for name, value in given.items() if value is not None)


def metrics():
    """Return type and labels of every metric, from a scrape of the monitor's own server."""
    collected = Metrics()
    collected.publish(_published())
    collected.refused("ingest", 1)
    collected.job_failed("keys")
    server = MetricsServer(collected, "127.0.0.1:0")
    try:
        with urllib.request.urlopen(f"http://{server.address}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
    finally:
        server.close()
    kinds = dict(line.split()[2:4] for line in lines if line.startswith("# TYPE"))
    labels = {name: set() for name in kinds}
    for line in lines:
        if not line.startswith("#"):
            name, _, rest = line.rpartition(" ")[0].partition("{")
            family = max((known for known in kinds if name.startswith(known)), key=len)
            labels[family] |= {part.split("=")[0] for part in rest.rstrip("}").split(",") if part}
    assert all(any(line.startswith(name) for line in lines) for name in kinds)
    return [f"{name}: {kind}, labels {sorted(labels[name])}" for name, kind in kinds.items()]


def _published():
    """One message of each kind that gives a metric its labels."""
    of = {"wearer": "203", "stream": "00000000000000aa"}
    judged = {"probability": 0.5, "abnormal": False, "heart_rate": 60.0, "model": "m"}
    what = {"kind": "asystole", "priority": "high", "category": "physiological", "text": ""}
    yield messages.Window(**of, first=0, state="signal", **judged)
    yield messages.Alarm(**of, **what, alarm=1, state="raised", at=None, time=0.0)
    yield messages.Link(**of, received=1, missing=0, repeated=0, lag_s=0.1, drift_ppm=1.0)


def words():
    """Alarms with what they are, and exit codes with what they mean."""
    alarms = [
        f"alarm {kind}: {known.priority}, {known.category}" + ", latching" * known.latching
        for kind, known in KINDS.items()
    ]
    return [
        *alarms,
        "exit code 0: done",
        f"exit code {EcgmonError.exit_code}: it failed, no monitor answers, or it refused",
        f"exit code {UsageError.exit_code}: the command cannot be carried out as it was made",
        f"exit code {HIGH_WAITS} of status: a high alarm waits",
        f"exit code {KEPT} of enroll: the model is kept and not put into service",
        f"exit code {UNFINISHED} of enroll: the review was left and can be gone on with",
        f"every exit code of an error: {sorted({kind.exit_code for kind in _tree(EcgmonError)})}",
    ]


def _tree(kind):
    return {kind}.union(*map(_tree, kind.__subclasses__()))


SURFACES = {
    "commands": commands,
    "environment": environment,
    "configuration": configuration,
    "messages": sent,
    "metrics": metrics,
    "words": words,
    "state-folder": state_folder,
}

if __name__ == "__main__":
    PINNED.mkdir(exist_ok=True)
    for name, derive in SURFACES.items():
        (PINNED / f"{name}.txt").write_text("".join(f"{line}\n" for line in derive()))
