"""Mutational fuzzing of the decoder: python tests/fuzz/run.py --seconds N [--seed S], N of processor time.

Mutants come from the golden and the invalid files; checksums are mended, so that damage gets deeper.
Whatever is neither decoded nor a DecodeError, or takes long, is written down and reported.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import sys
import time
import zlib
from collections import Counter
from pathlib import Path

import numpy as np

from exgs.codec import DecodeError, decode, parse_preamble

HERE = Path(__file__).resolve().parent
CORPUS = HERE.parent / "vectors"
FOUND = HERE / "found"
LONGEST_S = 5.0
REPORT_EVERY_S = 300.0


def corpus() -> list[bytes]:
    """All golden and invalid files, and what fuzzing found before."""
    folders = (CORPUS / "v1", CORPUS / "invalid", FOUND)
    return [path.read_bytes() for folder in folders for path in sorted(folder.glob("*.ugc"))]


def mutant(data: bytes, rng: np.random.Generator) -> bytes:
    """``data`` with a few bytes changed, added, lost or moved, its checksums mended most of the time."""
    size = int.from_bytes(data[8:12], "little")
    size = size if 16 <= size <= len(data) else len(data)
    head, rest = bytearray(data[: size - 4]), bytearray(data[size:])
    part = head if rng.random() < 0.5 or not rest else rest
    for _ in range(int(rng.geometric(0.4))):
        change(part, rng)
    if rng.random() < 0.1:
        return bytes(head) + data[size - 4 : size] + bytes(rest)
    if rng.random() < 0.7 and len(head) > 12:
        head[8:12] = (len(head) + 4).to_bytes(4, "little")
    sealed = bytes(head) + zlib.crc32(head).to_bytes(4, "little")
    return sealed + mended(sealed, rest)


def change(part: bytearray, rng: np.random.Generator) -> None:
    """One change in place."""
    at = int(rng.integers(0, len(part) + 1))
    span = int(rng.geometric(0.3))
    kind = int(rng.integers(0, 6))
    if kind == 0 and at < len(part):
        part[at] ^= 1 << int(rng.integers(0, 8))
    elif kind == 1:
        part[at : at + span] = rng.bytes(span)
    elif kind == 2:
        part[at:at] = rng.bytes(span)
    elif kind == 3:
        del part[at : at + span]
    elif kind == 4:
        part[at : at + span] = bytes([int(rng.choice([0, 1, 127, 128, 255]))]) * span
    else:
        other = int(rng.integers(0, len(part) + 1))
        part[at : at + span] = part[other : other + span]


def mended(preamble: bytes, rest: bytearray) -> bytes:
    """The chunks with their checksums as they should be, where the preamble can be read."""
    try:
        chunks = parse_preamble(preamble).chunks
    except DecodeError:
        return bytes(rest)
    for chunk in chunks:
        start = chunk.offset - len(preamble)
        stop = start + chunk.size_bytes
        if chunk.size_bytes >= 4 and stop <= len(rest):
            rest[stop - 4 : stop] = zlib.crc32(rest[start : stop - 4]).to_bytes(4, "little")
    return bytes(rest)


def verdict(data: bytes) -> str:
    """What becomes of ``data``: decoded, or the name of the error."""
    try:
        shown = decode(data)
    except DecodeError as error:
        return str(getattr(error, "rule", type(error).__name__))
    for array in (shown.means, shown.quats, shown.log_scales, shown.opacity_logits, shown.sh0, shown.shN):
        if not np.isfinite(array).all():
            raise ValueError("a decoded value is not finite")
    return "decoded"


def main() -> int:
    """Fuzzes for a while; the exit code says whether anything was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng, files = np.random.default_rng(arguments.seed), corpus()
    for data in files:
        verdict(data)  # compiles the kernels, which must not count as a slow mutant
    counts: Counter[str] = Counter()
    faults, next_report = 0, REPORT_EVERY_S
    while time.process_time() < arguments.seconds:
        data = mutant(files[int(rng.integers(len(files)))], rng)
        began = time.process_time()
        try:
            counts[verdict(data)] += 1
        except Exception as error:
            faults += 1
            report(data, repr(error))
        if time.process_time() - began > LONGEST_S:
            faults += 1
            report(data, f"took {time.process_time() - began:.1f} s")
        if time.process_time() > next_report:
            next_report += REPORT_EVERY_S
            print(summary(counts, faults), flush=True)
    print(summary(counts, faults))
    return 1 if faults else 0


def summary(counts: Counter[str], faults: int) -> str:
    """What was found so far, and what it took."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    spent = f"{time.process_time():.0f} s of processor time, peak {peak} MiB"
    return f"{sum(counts.values())} mutants, {faults} faults, {spent}: {dict(counts.most_common())}"


def report(data: bytes, what: str) -> None:
    """Keeps the mutant and says what it did."""
    FOUND.mkdir(exist_ok=True)
    path = FOUND / f"{hashlib.sha256(data).hexdigest()[:16]}.ugc"
    path.write_bytes(data)
    print(f"{path}: {what}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
