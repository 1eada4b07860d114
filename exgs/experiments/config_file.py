"""Reads an experiment from a TOML file (docs/experiments.md has every key)."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from exgs.codec import DEFAULT_EFFORT, EFFORTS, FEWEST_VIEWS, MOST_VIEWS, PRESETS
from exgs.experiments.config import (
    DEFAULT_SIZE,
    KINDS,
    ExperimentConfig,
    Generated,
    HeadSpec,
    LinkSpec,
    SceneSpec,
    Size,
    SystemSpec,
)
from exgs.experiments.errors import ExperimentError
from exgs.experiments.fields import Fields
from exgs.experiments.link import BurstLoss, LinkSettings
from exgs.experiments.rates import MAX_MBPS, Rate, read_rate
from exgs.scene import SceneError, read_head_trace

MAX_CONFIG_BYTES = 1 << 20
MAX_SIDE_PX = 4096
MAX_LOSS, LEAST_QUEUE_BYTES = 0.9, 1500
"""With more loss, or a queue in which not every packet has room, no session ever comes about."""
DEFAULT_LINK_MBPS, DEFAULT_DELAY_MS = 20.0, 25.0
_SEED = 1 << 31

Spec = TypeVar("Spec", SceneSpec, LinkSpec, HeadSpec, SystemSpec)
Value = TypeVar("Value")


def read_config(path: Path) -> ExperimentConfig:
    """The experiment in a file; what it does not say has the defaults of docs/experiments.md.

    Raises:
        ExperimentError: the file cannot be read, or a key is unknown or has a value that will not do.
    """
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise ExperimentError(f"{path}: larger than {MAX_CONFIG_BYTES >> 20} MiB, not an experiment")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ExperimentError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ExperimentError(f"{path}: no TOML: it is not text in UTF-8") from error
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        is_json = text.lstrip().startswith("{")  # as no TOML does
        what = "JSON, expected TOML as in docs/experiments.md" if is_json else f"no TOML ({error})"
        raise ExperimentError(f"{path}: {what}") from error
    return parse_config(document, path.stem, where=str(path), folder=path.parent)


def parse_config(document: dict[str, Any], name: str, *, where: str, folder: Path) -> ExperimentConfig:
    """The experiment in a TOML document; ``where`` names it in messages, paths are relative to ``folder``.

    Raises:
        ExperimentError: as for ``read_config``.
    """
    fields, default = Fields(document, where, folder), ExperimentConfig("", (), (), (), ())
    config = ExperimentConfig(
        name=fields.text("name", name),
        scenes=_all(fields, "scene", _scene, (SceneSpec("interior", Generated()),)),
        links=_all(fields, "link", _link, (_link(Fields({}, where, folder)),)),
        heads=_all(fields, "head", _head, (HeadSpec("walk"),)),
        systems=_all(fields, "system", _system, tuple(SystemSpec(kind, kind) for kind in KINDS)),
        seeds=fields.wholes("seeds", default.seeds, 0, _SEED),
        seconds=_given(fields.number("seconds", default.seconds, 0, 600, above=True)),
        frames_per_second=_given(
            fields.number("frames_per_second", default.frames_per_second, 0, 120, above=True)
        ),
        tick_hz=_given(fields.number("tick_hz", default.tick_hz, 1, 200)),
        size=fields.sides("size", default.size, 16, MAX_SIDE_PX),
        fov_y_deg=_given(fields.number("fov_y_deg", default.fov_y_deg, 10, 150)),
        splat_transform=fields.text("splat_transform", default.splat_transform),
    )
    fields.finish(
        "name, seconds, frames_per_second, tick_hz, size, fov_y_deg, seeds, splat_transform, "
        "[[scene]], [[link]], [[head]] or [[system]]"
    )
    return config


def _all(
    fields: Fields, key: str, parse: Callable[[Fields], Spec], default: tuple[Spec, ...]
) -> tuple[Spec, ...]:
    """The tables under ``key``, each with a name of its own."""
    found = tuple(parse(inner) for inner in fields.tables(key)) or default
    names = [spec.name for spec in found]
    for name in names:
        if names.count(name) > 1:
            raise ExperimentError(f"{fields.where}: two of [[{key}]] are called {name!r}: give each a name")
    return found


def _scene(fields: Fields) -> SceneSpec:
    source, stream, sog = (fields.path(key) for key in ("source", "stream", "sog"))
    inner = fields.table("generated")
    if (source is None) == (inner is None):
        raise ExperimentError(f"{fields.where}: expected either source or generated")
    made: Path | Generated = _generated(inner) if inner is not None else _given(source)
    sizes = [Size(ratio) for ratio in fields.numbers("ratios", 0, 1e6)]
    sizes += [Size(PRESETS[word]) for word in fields.words("presets", tuple(PRESETS))]
    if stream is not None and (sizes or "effort" in fields):
        raise ExperimentError(
            f"{fields.where}: stream is encoded already: ratios, presets and effort do not apply"
        )
    views = fields.whole("views", 0, FEWEST_VIEWS, MOST_VIEWS) or None
    effort = fields.choice("effort", tuple(EFFORTS), DEFAULT_EFFORT)
    name = fields.text("name", made.name if isinstance(made, Path) else "interior")
    if isinstance(made, Path) and sog is None and made.suffix.lower() == ".sog":
        sog = made
    fields.finish("name, source or generated, stream, ratios, presets, views, effort or sog")
    different = tuple(dict.fromkeys(sizes)) or (DEFAULT_SIZE,)
    return SceneSpec(name, made, stream, different, views, effort, sog)


def _generated(fields: Fields) -> Generated:
    made = Generated(
        fields.whole("seed", Generated.seed, 0, _SEED),
        fields.whole("count", Generated.count, 1000, 5_000_000),
    )
    fields.finish("seed or count")
    return made


def _link(fields: Fields) -> LinkSpec:
    trace = fields.path("trace")
    if trace is not None and "mbps" in fields:
        raise ExperimentError(f"{fields.where}: expected either mbps or trace")
    if trace is None:
        mbps = _given(fields.number("mbps", DEFAULT_LINK_MBPS, 0, MAX_MBPS, above=True))
        rate, name, told = Rate.constant(mbps), f"{mbps:g} Mbit/s", f"{mbps:g}"
    else:
        rate, name, told = read_rate(trace), trace.stem, hashlib.sha256(trace.read_bytes()).hexdigest()
    up_mbps = fields.number("up_mbps", None, 0, MAX_MBPS, above=True)
    quality: dict[str, Any] = {
        "delay_s": _given(fields.number("delay_ms", DEFAULT_DELAY_MS, 0, 60_000)) / 1000,
        "jitter_s": _given(fields.number("jitter_ms", 0.0, 0, 60_000)) / 1000,
        "loss": _given(fields.number("loss", 0.0, 0, MAX_LOSS)),
        "burst_loss": _burst(fields.table("burst_loss")),
        "queue_bytes": fields.whole("queue_bytes", LinkSettings.queue_bytes, LEAST_QUEUE_BYTES, 1 << 30),
    }
    name = fields.text("name", name)
    fields.finish(
        "name, mbps or trace, up_mbps, delay_ms, jitter_ms, loss, burst_loss or queue_bytes"
    )  # fmt: skip
    up = rate if up_mbps is None else Rate.constant(up_mbps)
    return LinkSpec(
        name, LinkSettings(rate, **quality), LinkSettings(up, **quality), f"{told} up {up_mbps or 'same'}"
    )


def _burst(fields: Fields | None) -> BurstLoss | None:
    if fields is None:
        return None
    enter, leave = fields.number("enter", None, 0, 1), fields.number("leave", None, 0, 1, above=True)
    fields.finish("enter and leave")
    if enter is None or leave is None:
        raise ExperimentError(f"{fields.where}: expected enter and leave")
    return BurstLoss(enter, leave)


def _head(fields: Fields) -> HeadSpec:
    trace = fields.path("trace")
    if trace is not None and "synthetic" in fields:
        raise ExperimentError(f"{fields.where}: expected either trace or synthetic")
    seed = fields.whole("synthetic", 0, 0, _SEED)
    if trace is not None:
        _check_head(fields, trace)
    name = fields.text("name", trace.stem if trace is not None else f"walk {seed}")
    fields.finish("name, trace or synthetic")
    return HeadSpec(name, trace, seed)


def _check_head(fields: Fields, trace: Path) -> None:
    """Finds a recording that cannot be used now, before anything takes long."""
    try:
        read_head_trace(trace)
    except SceneError as error:
        raise ExperimentError(f"{fields.where}: {error}") from error


def _system(fields: Fields) -> SystemSpec:
    kind = fields.choice("kind", KINDS)
    name = fields.text("name", kind)
    max_mbps = fields.number("max_mbps", None, 0, MAX_MBPS, above=True)
    max_splats = fields.whole("max_splats", 0, 1, 1 << 31) or None
    fields.finish("name, kind, max_mbps or max_splats")
    return SystemSpec(name, kind, max_mbps, max_splats)


def _given(value: Value | None) -> Value:
    assert value is not None
    return value
