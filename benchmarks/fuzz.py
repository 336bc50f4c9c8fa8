"""Fuzzing of everything that reads the network: frames and messages, with atheris (libFuzzer).

Run by ``make fuzz``, which installs atheris beside the project; MINUTES sets the duration. An input
that raises anything but `ProtocolError`, is read as something else than it is written back as, or
takes more than a second or 512 MB ends the run and is stored in runs/fuzz-corpus.

LibFuzzer sees what is new in our own code, but not inside of msgspec, which is C. There an input is
new if its outcome is: the decoded message, or the reason of the refusal. Such inputs are stored
and mutated further, too. LibFuzzer's output is printed; runs/fuzz.json has our own figures.
"""

import json
import random
import re
import struct
import sys
import zlib
from pathlib import Path
from typing import get_args

import atheris
import msgspec

with atheris.instrument_imports(include=["ecgmon.wire"]):
    from ecgmon.core.errors import ProtocolError
    from ecgmon.wire import Frame, frame, messages

DECODERS = (
    messages.decode_from_device,
    messages.decode_to_device,
    messages.decode_from_viewer,
    messages.decode_to_viewer,
)
KINDS = get_args(messages.FromDevice | messages.ToDevice | messages.FromViewer | messages.ToViewer)
FIELDS = sorted({field.encode_name for kind in KINDS for field in msgspec.structs.fields(kind)})
VALUES = [None, True, 0, -1, 1, 2**53, 2**62, 2**64, 0.5, 1e308, "", "ann", "0" * 16, "x" * 500]
CORPUS, FIGURES = Path("runs/fuzz-corpus"), Path("runs/fuzz.json")
MAX_KEPT = 20_000  # of some 60 MB
counts = {"inputs": 0, "frames": 0, "messages": 0}
outcomes: set[tuple[str, str]] = set()
valid_inputs: list[bytes] = []


def one_input(data: bytes) -> None:
    """Read an input as everything that it could be; what is valid survives being written."""
    counts["inputs"] += 1
    if counts["inputs"] % 10_000 == 0:  # libFuzzer ends the process, and nobody has a last word
        FIGURES.write_text(json.dumps(counts | {"outcomes": len(outcomes)}) + "\n")
    try:
        received = Frame.decode(data)
    except ProtocolError:
        pass
    else:
        counts["frames"] += 1
        assert received.encode() == data  # noqa: S101 - a finding
        assert 1 <= len(received.samples) <= frame.MAX_SAMPLES  # noqa: S101 - a finding
    for decode in DECODERS:
        try:
            message = decode(data)
        except ProtocolError as error:
            sentence = str(error)
            outcome = re.sub(r"\d+|['\"].*(['\"]|$)", "", sentence, flags=re.DOTALL)
        else:
            counts["messages"] += 1
            assert decode(messages.encode(message)) == message  # noqa: S101 - a finding
            sentence = ""
            outcome = repr([type(field) for field in msgspec.structs.astuple(message)])
        assert len(sentence) < 500  # noqa: S101 - a finding
        if (decode.__name__, outcome) not in outcomes and len(outcomes) < MAX_KEPT:
            outcomes.add((decode.__name__, outcome))
            valid_inputs.append(data)


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Change an input: mostly as libFuzzer would, but past the CRC, and within the JSON."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    if valid_inputs and rng.random() < 0.5:
        data = rng.choice(valid_inputs)
    changed = bytes(atheris.Mutate(data, max_size))
    if data.startswith(frame.MAGIC):
        if rng.random() < 0.8:
            body = frame.MAGIC + changed[4:-4]
            if rng.random() < 0.5 and len(body) > 48:  # a count that fits
                body = body[:6] + struct.pack("<H", (len(body) - 48) // 2 & 0xFFFF) + body[8:]
            changed = body + struct.pack("<I", zlib.crc32(body))
    elif rng.random() < 0.5:
        try:
            fields = json.loads(data)
        except (ValueError, RecursionError):
            return changed
        if isinstance(fields, dict):
            name = rng.choice([*fields, rng.choice(FIELDS)])
            text = changed[:40].decode("latin-1")
            fields[name] = rng.choice(
                [*VALUES, [dict(fields)], fields.get(name), text, [text] * 70]
            )
            changed = json.dumps(fields).encode()
    return changed[:max_size]


def corpus() -> list[bytes]:
    """Return a valid message of each kind, and frames."""
    fields = {
        "wearer": "ann",
        "stream": "00000000000000ff",
        "leads": ["II", "V1"],
        "topics": ["window/", "alarm/ann"],
        "state": "signal",
        "samples": "AQD/",
        "kind": "noisy",
        "priority": "low",
        "category": "technical",
        "entries": [],
        "abnormal": True,
        "rate": 360.0,
        "event": "connected",
        "lead": "II",
    }
    texts = {"publish", "reason", "model", "text", "by", "who", "refused"}
    found = []
    for kind in KINDS:
        names = {field.encode_name for field in msgspec.structs.fields(kind)} - {"v"}
        complete = {name: fields.get(name, "words" if name in texts else 1) for name in names}
        if kind is messages.Alarm:
            complete["state"] = "raised"
        message = msgspec.convert({"type": kind.__struct_config__.tag} | complete, kind)
        found.append(messages.encode(message))
    for count in (1, 36, frame.MAX_SAMPLES):
        head = struct.pack("<4sBBHQQqIf8s", b"ECGF", 1, 0, count, 255, 720, 0, 360_000, 200, b"II")
        body = head + bytes(2 * count)
        found.append(body + struct.pack("<I", zlib.crc32(body)))
    return found


def main() -> None:
    """Fuzz for so many minutes."""
    minutes = float(sys.argv[1])
    CORPUS.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(corpus()):
        (CORPUS / f"seed-{number}").write_bytes(seed)
    options = [
        f"-max_total_time={round(60 * minutes)}",
        f"-max_len={messages.MAX_BYTES + 1}",
        "-timeout=1",
        "-rss_limit_mb=512",
        "-print_final_stats=1",
        f"-artifact_prefix={CORPUS}/",
        str(CORPUS),
    ]
    atheris.Setup([sys.argv[0], *options], one_input, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
