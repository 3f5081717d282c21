#!/usr/bin/env python3
"""Encodes random values as Kafka's message definitions say, independently of Dragoman's declarations.

usage: make_spec_vectors.py KAFKA/clients/src/main/resources/common/message APIS... > spec-vectors.jsonl
An argument is an API and the versions wanted, as Metadata:0-13; versions that the definitions lack are left out.
"""
import base64
import json
import random
import struct
import sys
import uuid

NUMBERS = {"int8": ">b", "int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "int64": ">q", "float64": ">d"}
UNDECLARED = {"SnapshotId"}  # Raft's own; Dragoman skips it as an unknown tag.


def load(directory, name):
    with open(f"{directory}/{name}.json") as file:
        return json.loads("".join(line for line in file if not line.strip().startswith("//")))


def has(versions, version):
    if versions in (None, "none"):
        return False
    if versions.endswith("+"):
        return version >= int(versions[:-1])
    first, _, last = versions.partition("-")
    return int(first) <= version <= int(last or first)


def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


class Encoder:
    def __init__(self, message, version, rng, sparse):
        self.version, self.rng, self.sparse = version, rng, sparse
        self.flexible = has(message["flexibleVersions"], version)
        self.structs = {s["name"]: s["fields"] for s in message.get("commonStructs", [])}

    def length(self, n, short):
        if self.flexible:
            return varint(n + 1)
        return struct.pack(">h" if short else ">i", n)

    def struct(self, fields):
        body, tagged, values = b"", [], {}
        for field in fields:
            if not has(field["versions"], self.version) or field["name"] in UNDECLARED:
                continue
            name = field["name"][0].upper() + field["name"][1:]
            if "tag" in field:
                if self.sparse:
                    continue
                data, values[name] = self.field(field)
                tagged.append(varint(field["tag"]) + varint(len(data)) + data)
            else:
                data, values[name] = self.field(field)
                body += data
        if self.flexible:
            body += varint(len(tagged)) + b"".join(tagged)
        return body, values

    def field(self, field):
        kind = field["type"]
        nullable = has(field.get("nullableVersions"), self.version)
        if nullable and self.sparse:
            if kind in ("string",):
                return self.length(-1, True), None
            if kind in ("bytes", "records") or kind.startswith("[]"):
                return self.length(-1, False), None
            return b"\xff", None
        if not kind.startswith("[]"):
            marker = b"\x01" if nullable and kind[0].isupper() else b""
            data, value = self.value(kind, field)
            return marker + data, value
        count = 0 if self.sparse and self.rng.random() < 0.5 else self.rng.randint(1, 2)
        parts = [self.value(kind[2:], field) for _ in range(count)]
        return self.length(count, False) + b"".join(p[0] for p in parts), [p[1] for p in parts]

    def value(self, kind, field):
        rng = self.rng
        if kind == "bool":
            value = True if "tag" in field else rng.random() < 0.5
            return bytes([value]), value
        if kind in NUMBERS:
            size = struct.calcsize(NUMBERS[kind])
            raw = bytes([rng.randint(1, 127)]) + rng.randbytes(size - 1)
            return raw, struct.unpack(NUMBERS[kind], raw)[0]
        if kind == "uuid":
            value = uuid.UUID(bytes=rng.randbytes(16))
            return value.bytes, str(value)
        if kind == "string":
            value = "".join(rng.choice("abcxyz-_.é漢😀") for _ in range(rng.randint(1, 5)))
            data = value.encode()
            return self.length(len(data), True) + data, value
        if kind in ("bytes", "records"):
            data = rng.randbytes(rng.randint(0, 8))
            return self.length(len(data), False) + data, base64.b64encode(data).decode()
        return self.struct(field.get("fields") or self.structs[kind])


def main():
    directory, rng = sys.argv[1], random.Random(20)
    for argument in sys.argv[2:]:
        api, _, wanted = argument.partition(":")
        for kind in ("Request", "Response"):
            message = load(directory, api + kind)
            for version in range(100):
                if not has(wanted, version) or not has(message["validVersions"], version):
                    continue
                for sparse in (False, True):
                    data, values = Encoder(message, version, rng, sparse).struct(message["fields"])
                    line = {"message": api + kind, "version": version,
                            "bytes": base64.b64encode(data).decode(), "values": values}
                    print(json.dumps(line, ensure_ascii=False, separators=(",", ":")))


main()
