from dataclasses import dataclass, replace

import numpy as np
import pytest

from exgs.codec import EncodeConfig
from exgs.painter import PainterError
from exgs.painter.damage import DAMAGES, SOURCE, Damage, Unfitted, damaged, encoder, parse_damage
from exgs.painter.pairs import PairSettings, choose_damages, make_pairs, turned
from exgs.raster import choose_rasterizer
from exgs.scene import Camera, Gaussians, generate_interior


@pytest.fixture(scope="module")
def room() -> Gaussians:
    return generate_interior(seed=3, count=2000).with_sh_degree(0)


@pytest.fixture(scope="module")
def rasterizer():
    return choose_rasterizer("cpu", threads=1)


def test_damages_are_read_from_their_names():
    assert parse_damage("ugc-20@0.3") == Damage("ugc-20@0.3", "ugc", 20.0, 0.3)
    assert parse_damage("ugc-20-quick@.3") == Damage("ugc-20-quick@.3", "ugc", 20.0, 0.3, quick=True)
    assert parse_damage("exgs-107").config.method == "exgs"
    assert parse_damage(SOURCE).name == SOURCE
    assert len({parse_damage(name) for name in DAMAGES}) == len(DAMAGES)


def test_a_file_is_what_a_user_gets_unless_it_is_to_be_quick():
    assert parse_damage("ugc-107").config == EncodeConfig(method="ugc", ratio=107.0)
    quick = parse_damage("ugc-107-quick").config
    assert (quick.effort, quick.ratio) == ("fast", 107.0)
    assert quick.views is not None and quick.views < 48


@pytest.mark.parametrize(
    "name", ["", "ugc", "ugc-", "ugc-0", "spz-20", "ugc-20@2", "ugc-20@", "ugc-20 ", "ugc-20@0.3-quick"]
)
def test_names_of_no_damage_are_refused(name):
    with pytest.raises(PainterError, match="expected"):
        parse_damage(name)


def test_each_file_is_made_once_and_parts_are_cut_from_it(room, rasterizer):
    made = []

    def make(gaussians: Gaussians, config: EncodeConfig) -> bytes:
        made.append(config)
        return real(gaussians, config)

    real = encoder(rasterizer)
    names = ["exgs-20-quick", "exgs-20-quick@0.5", "source"]
    found = damaged(room, [parse_damage(name) for name in names], make=make)
    scenes = {damage.name: scene for damage, scene in found}
    assert len(made) == 1
    assert scenes["source"] is room
    assert len(scenes["exgs-20-quick@0.5"]) < len(scenes["exgs-20-quick"]) < len(room)


def test_encodings_are_kept_for_the_next_time(tmp_path, room, rasterizer):
    config = parse_damage("exgs-50-quick").config
    data = encoder(rasterizer, keep=tmp_path / "kept")(room, config)
    (path,) = (tmp_path / "kept").iterdir()
    assert path.read_bytes() == data
    path.write_bytes(b"as it was left")
    assert encoder(rasterizer, keep=tmp_path / "kept")(room, config) == b"as it was left"
    other = replace(room, opacity_logits=room.opacity_logits + np.float32(0.01))
    assert encoder(rasterizer, keep=tmp_path / "kept")(other, config) != b"as it was left"


@dataclass(frozen=True)
class Known:
    fitted: str | None


class Kept(dict[str, Known]):
    """The codec's cache, as far as it is asked."""

    def get(self, key, prepared):
        return super().get(key)

    def put(self, key, analysis):
        assert key not in self
        self[key] = analysis


def test_what_was_found_out_about_a_scene_is_kept_once_and_without_its_fit(room):
    kept = Kept()
    unfitted = Unfitted(kept)
    assert unfitted.get("room", room) is None
    unfitted.put("room", Known(fitted="a cut"))
    assert kept == {"room": Known(fitted=None)}
    kept["room"] = Known(fitted="another cut")
    assert unfitted.get("room", room) == Known(fitted=None)
    unfitted.put("room", Known(fitted="a third"))


def test_a_file_for_another_budget_comes_out_as_if_nothing_were_kept(room, rasterizer):
    asked = [EncodeConfig(ratio=ratio, views=3, levels=1) for ratio in (20.0, 50.0)]
    make = encoder(rasterizer, cache=Kept())
    together = [make(room, config) for config in asked]
    assert together[1] == encoder(rasterizer)(room, asked[1])


def test_pairs_are_made_of_quick_files():
    named = [parse_damage(name) for name in DAMAGES]
    assert all(damage.quick for damage in named if damage.name != SOURCE)


def test_pairs_hold_the_clean_and_the_damaged_picture(room, rasterizer):
    settings = PairSettings(size_px=48, views=4, pairs_per_view=2, damages=("source", "exgs-20-quick"))
    damages = [parse_damage(name) for name in settings.damages]
    shares = []
    pairs = make_pairs(
        "room", room, damages, settings,
        rasterizer=rasterizer, make=encoder(rasterizer), progress=shares.append,
    )  # fmt: skip
    assert pairs.source.shape == (4, 48, 48, 3)
    assert len(pairs) == 8
    clean = pairs.damage == "source"
    assert clean.sum() == 4
    assert (pairs.color[clean] == pairs.source[pairs.view[clean]]).all()
    assert (pairs.color[~clean] != pairs.source[pairs.view[~clean]]).any(axis=(1, 2, 3)).all()
    assert pairs.rate[clean].mean() > pairs.rate[~clean].mean()
    assert pairs.layers[clean].mean() > pairs.layers[~clean].mean()
    assert pairs.alpha.max() > 200
    assert shares == [0.5, 1.0]
    again = make_pairs("room", room, damages, settings, rasterizer=rasterizer, make=encoder(rasterizer))
    assert (again.color == pairs.color).all()


def test_every_kind_is_chosen_about_equally_often():
    chosen = choose_damages(22, 11, 3, np.random.default_rng(1))
    assert (chosen.sum(axis=1) == 3).all()
    assert chosen.sum(axis=0).tolist() == [6] * 11


def test_a_turned_camera_stays_where_it_is():
    camera = Camera.looking(
        np.array([1.0, 2, 3]), np.zeros(3), np.array([0, -1.0, 0]), fov_y_rad=1, size=(8, 8)
    )
    away = turned(camera, np.array([0.0, 0.2, 0]))
    assert np.allclose(away.position, camera.position)
    cosine = away.camera_from_world[2, :3] @ camera.camera_from_world[2, :3]
    assert np.arccos(cosine) == pytest.approx(0.2)
