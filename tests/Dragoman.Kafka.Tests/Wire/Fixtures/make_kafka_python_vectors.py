#!/usr/bin/env python3
"""Encodes random values with kafka-python's protocol classes (Debian: python3-kafka).

usage: make_kafka_python_vectors.py > kafka-python-vectors.jsonl
Values are given by position, since kafka-python has field names of its own.
"""
import base64
import json
import random

import kafka.protocol.admin
import kafka.protocol.commit
import kafka.protocol.fetch
import kafka.protocol.group
import kafka.protocol.metadata
import kafka.protocol.offset
import kafka.protocol.produce
from kafka.protocol import types
from kafka.protocol.api import Request, RequestHeader, Response

RNG = random.Random(20)


class Unsupported(Exception):
    pass


def value(kind):
    """A random value: what kafka-python is to encode, and how it looks in JSON."""
    if isinstance(kind, types.Array):
        items = [value(kind.array_of) for _ in range(RNG.randint(0, 2))]
        # An array in an array is a structure of one field, as Kafka has it.
        nested = isinstance(kind.array_of, types.Array)
        return [i[0] for i in items], [[i[1]] if nested else i[1] for i in items]
    if isinstance(kind, types.Schema):
        raw, shown = [], []
        for field in kind.fields:
            one, seen = value(field)
            raw.append(one)
            # A structure that stands in no array is a grouping of kafka-python's own.
            shown.extend(seen if isinstance(field, types.Schema) else [seen])
        return tuple(raw), shown
    if isinstance(kind, types.String):
        text = "".join(RNG.choice("abcxyz-_.é漢😀") for _ in range(RNG.randint(0, 5)))
        return text, text
    if kind is types.Bytes:
        data = RNG.randbytes(RNG.randint(0, 8))
        return data, base64.b64encode(data).decode()
    if kind is types.Boolean:
        flag = RNG.random() < 0.5
        return flag, flag
    sizes = {types.Int8: 7, types.Int16: 15, types.Int32: 31, types.Int64: 63}
    if kind not in sizes:
        raise Unsupported(kind)
    number = RNG.getrandbits(sizes[kind]) - RNG.randint(0, 1) * (1 << (sizes[kind] - 1))
    return number, number


def main():
    modules = [getattr(kafka.protocol, m) for m in ("produce", "fetch", "offset", "metadata", "commit", "group", "admin")]
    seen = set()
    for module in modules:
        for name, found in vars(module).items():
            if not isinstance(found, type) or "_v" not in name or not issubclass(found, (Request, Response)):
                continue
            if name in seen:
                continue
            seen.add(name)
            for _ in range(2):
                try:
                    raw, shown = value(found.SCHEMA)
                except Unsupported:
                    break
                message = found(*raw)
                line = {"name": name, "apiKey": found.API_KEY, "version": found.API_VERSION,
                        "request": issubclass(found, Request), "bytes": base64.b64encode(message.encode()).decode(),
                        "values": shown}
                if line["request"]:
                    header = RequestHeader(message, correlation_id=RNG.getrandbits(31), client_id="kafka-python-é")
                    line["header"] = base64.b64encode(header.encode()).decode()
                    line["correlationId"] = header.correlation_id
                print(json.dumps(line, ensure_ascii=False, separators=(",", ":")))


main()
