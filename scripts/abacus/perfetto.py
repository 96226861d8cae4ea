"""Reads the TrackEvents of a Perfetto trace: protobuf by its wire format."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field


class Malformed(ValueError):
    """No trace, or not one of ours."""


Field = tuple[int, int | bytes]


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data: bytes) -> Iterator[Field]:
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = varint(data, at)
            yield number, value
        elif kind == 1:
            yield number, data[at : at + 8]
            at += 8
        elif kind == 2:
            length, at = varint(data, at)
            yield number, data[at : at + length]
            at += length
        else:
            raise ValueError(f"wire type {kind}")
    if at != len(data):
        raise ValueError("cut short")


def message(data: int | bytes) -> dict[int, list[int | bytes]]:
    assert isinstance(data, bytes)
    found: dict[int, list[int | bytes]] = {}
    for number, value in fields(data):
        found.setdefault(number, []).append(value)
    return found


def text(value: int | bytes) -> str:
    assert isinstance(value, bytes)
    return value.decode()


@dataclass
class Slice:
    name: str
    category: str
    begin: int
    depth: int
    end: int = -1
    annotations: dict[str, float] = field(default_factory=dict)
    flows_out: list[bytes] = field(default_factory=list)
    flows_in: list[bytes] = field(default_factory=list)


def slices(data: bytes) -> dict[str, list[Slice]]:
    """By track. Raises Malformed for slices that do not nest, or run backwards in time."""
    try:
        return _slices(data)
    except (AssertionError, IndexError, KeyError, ValueError, struct.error) as error:
        raise Malformed(f"no trace that abacus wrote ({error})") from error


def _slices(data: bytes) -> dict[str, list[Slice]]:
    names: dict[int | bytes, str] = {}
    found: dict[str, list[Slice]] = {}
    open_slices: dict[str, list[Slice]] = {}
    last: dict[str, int] = {}
    for number, packet_bytes in fields(data):
        assert number == 1
        packet = message(packet_bytes)
        if 60 in packet:
            track = message(packet[60][0])
            if 2 in track:
                names[track[1][0]] = text(track[2][0])
                found[names[track[1][0]]] = []
            continue
        event = message(packet[11][0])
        name = names[event[11][0]]
        time = packet[8][0]
        assert isinstance(time, int) and time >= last.get(name, 0), f"{name}: back in time"
        last[name] = time
        stack = open_slices.setdefault(name, [])
        if event[9][0] == 2:
            stack.pop().end = time
            continue
        begun = Slice(text(event[23][0]), text(event[22][0]), time, len(stack))
        for annotation in event.get(4, []):
            said = message(annotation)
            value = said[5][0]
            assert isinstance(value, bytes)
            begun.annotations[text(said[10][0])] = struct.unpack("<d", value)[0]
        begun.flows_out = [value for value in event.get(47, []) if isinstance(value, bytes)]
        begun.flows_in = [value for value in event.get(48, []) if isinstance(value, bytes)]
        stack.append(begun)
        found[name].append(begun)
    assert not any(open_slices.values()), "slices without an end"
    return found
