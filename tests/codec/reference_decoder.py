"""A second decoder, written from docs/bitstream.md alone: plain integers, one splat at a time."""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass, field
from math import comb
from typing import Any

import numpy as np

FAMILIES = {
    "split": 26,
    "opacity": 9,
    "scale": 5,
    "drop 2": 16,
    "drop 3": 16,
    "luma": 8,
    "chroma o": 8,
    "chroma g": 8,
    "face": 8,
    "pole": 14,
    "band": 16,
    "mask": 8,
    "coefficient": 120,
}
COARSE = (0, 1, 2, 3, 4, 6, 9, 13, 19, 28, 41, 60, 88, 129, 190, 280)
COEFFICIENTS = (0, 3, 8, 15)


class Bytes:
    """Reads the preamble."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.held, self.count = data, 0, 0, 0

    def take(self, form: str) -> Any:
        value = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return value[0] if len(value) == 1 else value

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.take("B")
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def bits(self, count: int) -> int:
        while self.count < count:
            self.held |= self.take("B") << self.count
            self.count += 8
        value = self.held % (1 << count)
        self.held >>= count
        self.count -= count
        return value

    def align(self) -> None:
        assert self.held == 0
        self.count = 0

    def golomb(self, order: int) -> int:
        zeros = 0
        while self.bits(1) == 0:
            zeros += 1
        return ((1 << zeros) - 1) * (1 << order) + self.bits(zeros + order)


def unfold(value: int) -> int:
    return -((value + 1) // 2) if value % 2 else value // 2


@dataclass
class Splat:
    """What is known of one splat."""

    corner: list[int] = field(default_factory=list)
    open: list[int] = field(default_factory=list)
    near: int | None = None
    second: int | None = None
    level: int = 0
    values: dict[str, int] = field(default_factory=dict)
    face: int = 0
    pole: list[int] = field(default_factory=lambda: [0, 0])
    pole_bits: int = -1
    fine: list[int] = field(default_factory=lambda: [0, 0, 0])
    fine_bits: int = 0
    spin: int = 0
    spin_bits: int = 0
    band: int = 0
    mask: int = 0
    tokens: dict[tuple[int, int], int] = field(default_factory=dict)

    @property
    def middle(self) -> list[int]:
        return [2 * c + (1 << o) for c, o in zip(self.corner, self.open, strict=True)]

    @property
    def prolate(self) -> bool:
        return self.values["drop 2"] > self.values["drop 3"]


class ReferenceDecoder:
    """Decodes a whole file; trusts it to be sound."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        reader = Bytes(data)
        assert reader.take("4B") == (0x89, 0x55, 0x47, 0x43) and reader.take("BB") == (1, 0)
        flags, size = reader.take("H"), reader.take("I")
        assert zlib.crc32(data[: size - 4]) == int.from_bytes(data[size - 4 : size], "little")
        self.axes = reader.take("B")
        self.metres = reader.take("d") if flags & 1 else None
        self.start = reader.take("7f") if flags & 2 else None
        self.degree, self.levels = reader.take("BB")
        self.low, self.high = reader.take("3f"), reader.take("3f")
        self.read_coding(reader)
        self.tables = self.read_tables(reader)
        self.read_manifest(reader, size)
        assert reader.at == size - 4

    def read_coding(self, reader: Bytes) -> None:
        self.scale_step, self.colour_step, self.sh_step = reader.take("3f")
        self.opacities = reader.take("B") + 1
        self.class_slope, self.opacity_slope = reader.take("HB")
        self.fine_below, self.shift_slope = reader.take("BB")
        self.thresholds = [reader.varint() for _ in range(reader.take("B"))]
        packed = [reader.varint() for _ in range(4)]
        names = ("scale", "luma", "chroma o", "chroma g")
        self.predictions = {n: (unfold(p // 16), p % 16) for n, p in zip(names, packed, strict=True)}
        self.position_steps = [reader.take("f") for _ in range(self.levels)]
        self.shift_from = [unfold(reader.varint()) for _ in range(self.levels)]
        self.class_from = [unfold(reader.varint()) for _ in range(self.levels)]

    def read_tables(self, reader: Bytes) -> dict[tuple[str, int], list[int]]:
        frequencies = {}
        for family, contexts in FAMILIES.items():
            count = reader.bits(5) + 1
            chosen = [reader.bits((count - 1).bit_length()) for _ in range(contexts)]
            tables = [self.read_table(reader) for _ in range(count)]
            for context, index in enumerate(chosen):
                kind, weights = tables[index]
                if kind == 3:
                    n = min(context + 2, 17)
                    rising = [math.prod(weights[0] + 16 * i for i in range(k)) for k in range(n + 1)]
                    weights = [comb(n, k) * rising[k] * rising[n - k] for k in range(n + 1)]
                frequencies[family, context] = self.normalise(weights)
        reader.align()
        return frequencies

    @staticmethod
    def read_table(reader: Bytes) -> tuple[int, list[int]]:
        kind = reader.bits(2)
        if kind == 3:
            return kind, [reader.bits(8)]
        last = reader.bits(6)
        if kind == 0:
            return kind, [0] * last + [1]
        if kind == 1:
            return kind, [COARSE[reader.bits(4)] for _ in range(last + 1)]
        digits = [reader.bits(8) for _ in range(last + 1)]
        return kind, [(16 + d % 16) << (d // 16) if d else 0 for d in digits]

    @staticmethod
    def normalise(weights: list[int]) -> list[int]:
        total = sum(weights)
        result = [max(1, w * 4096 // total) if w else 0 for w in weights]
        result[result.index(max(result))] += 4096 - sum(result)
        return result

    def read_manifest(self, reader: Bytes, offset: int) -> None:
        names = ("replaced", "count", "words", "importance", "run", "base")
        self.orders = {name: reader.bits(5) for name in names}
        counts = [reader.golomb(4) + 1 for _ in range(self.levels)]
        width = (sum(counts) - 1).bit_length()
        chunks: list[dict[str, Any]] = []
        coarser: list[dict[str, Any]] = []
        for level, count in zip(reversed(range(self.levels)), counts, strict=True):
            here: list[dict[str, Any]] = []
            for _ in range(count):
                before = here[-1] if here else None
                here.append({"level": level, **self.read_entry(reader, width, before, coarser)})
            chunks += here
            coarser = here
        reader.align()
        self.chunks = sorted(chunks, key=lambda chunk: int(chunk["id"]))
        for chunk in self.chunks:
            chunk["offset"] = offset
            offset += chunk["size"]

    def read_entry(
        self, reader: Bytes, width: int, before: dict[str, Any] | None, coarser: list[dict[str, Any]]
    ) -> dict[str, Any]:
        chunk: dict[str, Any] = {"id": reader.bits(width), "parent": -1, "up": 0}
        if coarser:
            step = reader.golomb(0)
            chunk["up"] = (before["up"] if before else 0) + step
            chunk["parent"] = coarser[chunk["up"]]["id"]
            chunk["first"] = reader.golomb(0)
            if before and step == 0:
                chunk["first"] += before["first"] + before["replaced"]
            chunk["replaced"] = reader.golomb(self.orders["replaced"]) + 1
        chunk["count"] = reader.golomb(self.orders["count"]) + 1
        chunk["size"] = 2 * (reader.golomb(self.orders["words"]) + 4) + 4
        step = unfold(reader.golomb(self.orders["importance"]))
        chunk["importance"] = step + (before["importance"] if before else 0)
        runs = [reader.golomb(self.orders["run"]) for _ in range(reader.golomb(0))]
        chunk["runs"] = [*runs, chunk["count"] - sum(runs)]
        last = before["bits"] if before else [0, 0, 0]
        chunk["bits"] = [bits + unfold(reader.golomb(0)) for bits in last]
        chunk["parts"] = [reader.bits(3) for _ in range(3)]
        shifts = [max(bits - 4, 0) for bits in chunk["bits"]]
        last = before["base"] if before else [0, 0, 0]
        steps = [unfold(reader.golomb(self.orders["base"])) for _ in range(3)]
        chunk["base"] = [((a >> s) + b) << s for a, b, s in zip(last, steps, shifts, strict=True)]
        return chunk

    def whole(self) -> dict[str, np.ndarray]:
        """All splats that show once every chunk is there, chunk after chunk down the tree."""
        decoded = [self.chunk(id) for id in range(len(self.chunks))]
        parts: list[dict[str, np.ndarray]] = []
        waiting = [id for id, chunk in enumerate(self.chunks) if chunk["parent"] < 0]
        while waiting:
            id = waiting.pop(0)
            children = [other for other, chunk in enumerate(self.chunks) if chunk["parent"] == id]
            children.sort(key=lambda other: self.chunks[other]["first"])
            hidden = set()
            for child in children:
                chunk = self.chunks[child]
                hidden |= set(range(chunk["first"], chunk["first"] + chunk["replaced"]))
            shown = [index for index in range(self.chunks[id]["count"]) if index not in hidden]
            parts.append({name: array[shown] for name, array in decoded[id].items()})
            waiting = children + waiting
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def chunk(self, id: int) -> dict[str, np.ndarray]:
        """The splats of one chunk."""
        info = self.chunks[id]
        data = self.data[info["offset"] : info["offset"] + info["size"]]
        assert zlib.crc32(data[:-4]) == int.from_bytes(data[-4:], "little")
        return ChunkDecoder(self, info, data[:-4]).decode()


class ChunkDecoder:
    """The passes over one chunk."""

    def __init__(self, file: ReferenceDecoder, info: dict[str, Any], data: bytes) -> None:
        self.file, self.level = file, info["level"]
        self.runs, self.base, self.lattice = info["runs"], info["base"], info["bits"]
        self.words = [word[0] for word in struct.iter_unpack("<H", data)]
        self.a = self.words[0] + 65536 * self.words[1]
        self.b = self.words[2] + 65536 * self.words[3]
        self.next = 4
        self.splats = [Splat() for _ in range(info["count"])]

    def decode(self) -> dict[str, np.ndarray]:
        first = 0
        for run in self.runs:
            if run:
                self.split(first, first + run, list(self.lattice), [0, 0, 0])
            first += run
        self.neighbours()
        top = self.file.opacities - 1
        for splat in self.splats:
            splat.values["opacity"] = self.extend(self.symbol("opacity", self.opacity_context(splat)))
        self.values("scale", [4 * s.values["opacity"] // top for s in self.splats])
        self.expect("scale")
        mean = self.file.predictions["scale"][0]
        self.values("drop 2", [min(max(s.values["scale"] - mean + 8, 0), 15) for s in self.splats])
        self.values("drop 3", [min(s.values["drop 2"], 15) for s in self.splats])
        for splat in self.splats:
            splat.level = self.class_of(splat)
            splat.fine_bits = min(max(self.file.fine_below - splat.level, 0), 3)
        for place in range(3):
            for splat in self.splats:
                splat.fine[place] = self.raw(splat.fine_bits)
        self.places()
        for name in ("luma", "chroma o", "chroma g"):
            self.values(name, [s.level for s in self.splats])
            self.expect(name)
        self.turns()
        if self.file.degree:
            self.harmonics()
        assert self.next == len(self.words) and self.a == self.b == 65536
        return self.reconstruct()

    def symbol(self, family: str, context: int) -> int:
        slot = self.a % 4096
        start = 0
        for symbol, frequency in enumerate(self.file.tables[family, context]):
            if slot < start + frequency:
                self.refill(frequency * (self.a // 4096) + slot - start)
                return symbol
            start += frequency
        raise AssertionError("frequencies add up to 4096")

    def raw(self, count: int) -> int:
        if count > 16:
            low = self.raw(16)
            return low + 65536 * self.raw(count - 16)
        if count == 0:
            return 0
        value = self.a % (1 << count)
        self.refill(self.a >> count)
        return value

    def refill(self, a: int) -> None:
        if a < 65536:
            a = a * 65536 + self.words[self.next]
            self.next += 1
        self.a, self.b = self.b, a

    def extend(self, token: int) -> int:
        if token < 16:
            return token
        count = (token - 16) // 2 + 3
        return ((2 + (token - 16) % 2) << count) + self.raw(count)

    def values(self, name: str, contexts: list[int]) -> None:
        tokens = [self.symbol(name, context) for context in contexts]
        for splat, token in zip(self.splats, tokens, strict=True):
            splat.values[name] = self.extend(token)

    def split(self, first: int, end: int, rest: list[int], corner: list[int]) -> None:
        n = end - first
        if n == 1 or sum(rest) == 0:
            for splat in self.splats[first:end]:
                splat.corner, splat.open = list(corner), list(rest)
            return
        axis = rest.index(max(rest))
        lower = self.lower_half(n)
        rest = list(rest)
        rest[axis] -= 1
        if lower > 0:
            self.split(first, first + lower, rest, corner)
        if lower < n:
            upper = list(corner)
            upper[axis] += 1 << rest[axis]
            self.split(first + lower, end, rest, upper)

    def lower_half(self, n: int) -> int:
        symbol = self.symbol("split", n - 2 if n < 16 else min(14 + n.bit_length() - 5, 25))
        if n < 16:
            return symbol
        if symbol in (0, 17):
            return n if symbol else 0
        return 1 + ((symbol - 1) * (n - 1) + 15) // 16 + self.raw(((n - 2) // 16).bit_length())

    def neighbours(self) -> None:
        middles = [splat.middle for splat in self.splats]
        for index, splat in enumerate(self.splats):
            others = range(index - 1, max(index - 9, -1), -1)
            ranked = sorted(
                others,
                key=lambda o: sum((p - q) ** 2 for p, q in zip(middles[o], middles[index], strict=True)),
            )
            splat.near = ranked[0] if ranked else None
            splat.second = ranked[1] if len(ranked) > 1 else None

    def opacity_context(self, splat: Splat) -> int:
        if splat.near is None:
            return 0
        one = self.splats[splat.near].values["opacity"]
        other = one if splat.second is None else self.splats[splat.second].values["opacity"]
        return 4 * (one + other) // (self.file.opacities - 1)

    def class_of(self, splat: Splat) -> int:
        v = 1 + 254 * splat.values["opacity"] // (self.file.opacities - 1)
        b = v.bit_length() - 1
        light = self.file.class_slope * (2 * splat.values["scale"] - splat.values["drop 2"])
        light += self.file.opacity_slope * (256 * b + ((v << 8) >> b) - 256)
        return min(max((self.file.class_from[self.level] - light) >> 16, 0), 7)

    def expect(self, name: str) -> None:
        mean, trust = self.file.predictions[name]
        for splat in self.splats:
            move = 0
            if splat.near is not None:
                near = self.splats[splat.near]
                one = near.values[name] << near.level
                if splat.second is None:
                    move = (one - mean) * trust >> 3
                else:
                    second = self.splats[splat.second]
                    move = (one + (second.values[name] << second.level) - 2 * mean) * trust >> 4
            expected = (mean + move + ((1 << splat.level) >> 1)) >> splat.level
            splat.values[name] = expected + unfold(splat.values[name])

    def places(self) -> None:
        shifts = []
        for splat in self.splats:
            above = splat.values["scale"] - self.file.shift_from[self.level]
            shifts.append(min(max(above * self.file.shift_slope >> 8, 0), 12))
        for axis in range(3):
            for splat, shift in zip(self.splats, shifts, strict=True):
                kept = self.raw(max(splat.open[axis] - shift, 0))
                dropped = min(splat.open[axis], shift)
                splat.values["xyz"[axis]] = 2 * (splat.corner[axis] + (kept << dropped)) + (1 << dropped)

    def turns(self) -> None:
        for splat in self.splats:
            drops = splat.values["drop 2"], splat.values["drop 3"]
            tilt = 2 * max(drops) + min(drops)
            splat.pole_bits = min(max(self.reached(tilt) - splat.level, -1), 10)
            splat.spin_bits = min(max(self.reached(2 * min(drops)) - splat.level + 1, 0), 10)
        guides = [self.guide(splat) for splat in self.splats]
        for splat, guide in zip(self.splats, guides, strict=True):
            if splat.pole_bits >= 0:
                known = 1 + guide.face if guide else 0
                splat.face = self.symbol("face", 4 * splat.prolate + known)
        for axis in range(2):
            near: list[tuple[Splat, Splat]] = []
            for splat, guide in zip(self.splats, guides, strict=True):
                if guide and splat.pole_bits > 0 and guide.face == splat.face:
                    near.append((splat, guide))
                else:
                    splat.pole[axis] = self.raw(max(splat.pole_bits, 0))
            tokens = [self.symbol("pole", 7 * s.prolate + min(s.pole_bits, 7) - 1) for s, _ in near]
            values = [self.extend(token) for token in tokens]
            for (splat, guide), value in zip(near, values, strict=True):
                guess = ((2 * guide.pole[axis] + 1) << splat.pole_bits) >> (guide.pole_bits + 1)
                splat.pole[axis] = (guess + unfold(value)) % (1 << splat.pole_bits)
        for splat in self.splats:
            splat.spin = self.raw(splat.spin_bits)

    def reached(self, difference: int) -> int:
        above = [number for number, limit in enumerate(self.file.thresholds) if limit > difference]
        return above[0] if above else len(self.file.thresholds)

    def guide(self, splat: Splat) -> Splat | None:
        for index in (splat.near, splat.second):
            if index is not None:
                other = self.splats[index]
                if other.pole_bits >= 0 and other.prolate == splat.prolate:
                    return other
        return None

    def harmonics(self) -> None:
        for splat in self.splats:
            near = self.splats[splat.near] if splat.near is not None else Splat()
            splat.band = self.symbol("band", 4 * (splat.level // 2) + near.band)
            if splat.band:
                splat.mask = self.symbol("mask", near.mask)
        for splat in self.splats:
            for channel in range(3):
                token = before = 0
                for place in range(COEFFICIENTS[splat.band] if splat.mask >> channel & 1 else 0):
                    band = 1 if place < 3 else 2 if place < 8 else 3
                    context = 30 * (splat.level // 2) + 15 * (channel > 0) + 5 * (band - 1)
                    context += min((token + before + 1) // 2, 4)
                    before = token
                    token = splat.tokens[place, channel] = self.symbol("coefficient", context)
        for splat in self.splats:
            for key in sorted(splat.tokens):
                splat.tokens[key] = unfold(self.extend(splat.tokens[key]))

    def reconstruct(self) -> dict[str, np.ndarray]:
        rows: dict[str, list[Any]] = {name: [] for name in ("means", "quats", "log_scales", "logits")}
        colours: list[list[float]] = []
        others: list[list[list[float]]] = []
        for splat in self.splats:
            rows["means"].append(self.mean(splat))
            rows["quats"].append(self.quaternion(splat))
            rows["log_scales"].append(self.log_scales(splat))
            opacity = (1 + 254 * splat.values["opacity"] / (self.file.opacities - 1)) / 256
            rows["logits"].append(math.log(opacity / (1 - opacity)))
            step = (1 << splat.level) * self.file.colour_step / 0.28209479177387814
            colours.append(self.rgb([splat.values[n] for n in ("luma", "chroma o", "chroma g")], step))
            step = (1 << splat.level) * self.file.sh_step
            places = range(COEFFICIENTS[self.file.degree])
            others.append([self.rgb([splat.tokens.get((p, c), 0) for c in range(3)], step) for p in places])
        arrays = {name: np.array(values, np.float32) for name, values in rows.items()}
        arrays["sh0"] = np.array(colours, np.float32).reshape(-1, 1, 3)
        arrays["shN"] = np.array(others, np.float32).reshape(len(colours), -1, 3)
        return arrays

    def mean(self, splat: Splat) -> list[float]:
        step = self.file.position_steps[self.level]
        return [
            (self.file.low[axis] + self.base[axis] * step) + splat.values["xyz"[axis]] * (0.5 * step)
            for axis in range(3)
        ]

    def log_scales(self, splat: Splat) -> list[float]:
        step = self.file.scale_step * 0.0625
        long = splat.values["scale"]
        middle = long - splat.values["drop 2"]
        short = middle - splat.values["drop 3"]
        long, middle, short = (
            16 * value - 8 + ((2 * further + 1) << (3 - splat.fine_bits))
            for value, further in zip((long, middle, short), splat.fine, strict=True)
        )
        ordered = (long, middle, short) if splat.prolate else (short, long, middle)
        result = [0.0, 0.0, 0.0]
        for place, value in enumerate(ordered):
            result[(splat.face + place) % 3] = value * step
        return result

    @staticmethod
    def quaternion(splat: Splat) -> list[float]:
        u = v = 0.0
        if splat.pole_bits >= 0:
            u, v = (
                float(np.tan(np.pi / 4 * (((2 * p + 1) << (10 - splat.pole_bits)) * (2.0 / 2048) - 1.0)))
                for p in splat.pole
            )
        j = (2 * splat.spin + 1) << (10 - splat.spin_bits) if splat.spin_bits else 0
        c, s = float(np.cos(np.pi / 2 * j / 2048)), float(np.sin(np.pi / 2 * j / 2048))
        length = math.sqrt(1.0 + u * u + v * v)
        k = 1.0 / math.sqrt(2.0 * length * (length + 1.0))
        result = [(length + 1.0) * c * k, 0.0, 0.0, 0.0]
        result[1 + splat.face] = (length + 1.0) * s * k
        result[1 + (splat.face + 1) % 3] = (u * s - v * c) * k
        result[1 + (splat.face + 2) % 3] = (u * c + v * s) * k
        return result

    @staticmethod
    def rgb(values: list[int], step: float) -> list[float]:
        y, o, g = values
        return [(y - g + o) * step, (y + g) * step, (y - g - o) * step]
