"""Rate-distortion of the encoder, judged by the independent referee.

    python benchmarks/rate_distortion.py [SCENE ...] [--ratios 20,50,107] [--methods exgs,ugc] [--out FILE]

Encodes every scene of ../shared at each byte budget (the float32 size of the whole scene divided by the
ratio) with every method, decodes, and lets ../shared/referee compare with the source from cameras that the
encoder never sees: ../shared/data/cameras where they exist, otherwise 24 views sampled here with a seed of
their own. Prints one Markdown table and, with --out, keeps the rows; rows that FILE.json already holds are
not measured again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from exgs.scene import read_scene, sample_views, write_cameras

SHARED = Path(__file__).resolve().parents[2] / "shared"
SCENES = {
    "angel": "angel.sog",
    "angel-kneeling": "angel-kneeling.sog",
    "flowers": "flowers/lod-meta.json",
    "guitar": "guitar.compressed.ply",
    "luma-seal": "luma-seal.splat",
    "massa": "massa.sog",
    "playbot": "playbot/lod-meta.json",
    "skull": "skull.sog",
    "st-peter": "st-peter.sog",
}
HELD_OUT_SEED = 20260101
HELD_OUT_VIEWS = 24


def main() -> None:
    """Measures what was asked for and prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenes", nargs="*", default=list(SCENES))
    parser.add_argument("--ratios", default="20,50,107,200,500")
    parser.add_argument("--methods", default="exgs,ugc")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    if not SHARED.is_dir():
        sys.exit("../shared is absent: this benchmark needs its scenes and referee")
    rows = json.loads(args.out.read_text()) if args.out and args.out.exists() else []
    done = {(row["scene"], row["method"], row["ratio"]) for row in rows}
    for scene in args.scenes:
        for ratio in (float(word) for word in args.ratios.split(",")):
            for method in args.methods.split(","):
                if (scene, method, ratio) in done:
                    continue
                rows.append(measure(scene, method, ratio))
                print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
                if args.out:
                    args.out.write_text(json.dumps(rows, indent=1) + "\n")
    print(as_table([row for row in rows if row["scene"] in args.scenes]))


def measure(scene: str, method: str, ratio: float) -> dict[str, object]:
    """One encode, decode and judgement, each in a process of its own."""
    source = SHARED / "data" / "scenes" / SCENES[scene]
    with tempfile.TemporaryDirectory() as folder:
        stream, decoded = Path(folder) / "scene.ugc", Path(folder) / "scene.ply"
        encoded = command(
            sys.executable, "-m", "exgs", "encode", source, stream,
            "--method", method, "--ratio", ratio, "--json", "--quiet",
        )  # fmt: skip
        restored = command(sys.executable, "-m", "exgs", "decode", stream, decoded, "--json", "--quiet")
        judged = command(
            sys.executable, SHARED / "referee" / "referee.py", source, decoded,
            cameras(scene, source, folder), "--json",
        )  # fmt: skip
    return {
        "scene": scene, "method": method, "ratio": ratio, "budget": encoded["budget_bytes"],
        "bytes": encoded["bytes"], "splats": encoded["splats_kept"], "psnr": judged["psnr_mean"],
        "psnr_min": judged["psnr_min"], "ssim": judged["ssim_mean"], "own_psnr": encoded["psnr"],
        "encode_s": encoded["seconds"], "decode_s": restored["seconds"],
    }  # fmt: skip


def cameras(scene: str, source: Path, folder: str) -> Path:
    """The evaluation cameras of ``scene``."""
    given = SHARED / "data" / "cameras" / f"{scene}.json"
    if given.exists():
        return given
    path = Path(folder) / "cameras.json"
    write_cameras(path, sample_views(read_scene(source), HELD_OUT_VIEWS, seed=HELD_OUT_SEED, size=(640, 360)))
    return path


def command(*words: object) -> dict[str, object]:
    """Runs a command that prints one JSON object."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))}\n{done.stderr}")
    return dict(json.loads(done.stdout))


def as_table(rows: list[dict[str, object]]) -> str:
    """A Markdown table: one line per scene and ratio, methods side by side."""
    methods = list(dict.fromkeys(str(row["method"]) for row in rows))
    head = ["scene", "ratio", "budget"] + [
        f"{method} {what}" for method in methods for what in ("bytes", "splats", "PSNR", "SSIM")
    ]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for scene, ratio in dict.fromkeys((row["scene"], row["ratio"]) for row in rows):
        found = {row["method"]: row for row in rows if (row["scene"], row["ratio"]) == (scene, ratio)}
        cells = [str(scene), f"{ratio:g}", f"{next(iter(found.values()))['budget']:,}"]
        for method in methods:
            row = found.get(method)
            cells += (
                [f"{row['bytes']:,}", f"{row['splats']:,}", f"{row['psnr']:.2f}", f"{row['ssim']:.4f}"]
                if row
                else ["-"] * 4
            )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
