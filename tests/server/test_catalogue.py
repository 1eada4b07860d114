"""Scenes on disk: names, links, folders."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exgs.protocol.vocabulary import MAX_NAME_BYTES
from exgs.server.catalogue import Catalogue
from exgs.server.errors import ServerError, UnknownScene


def _put(path: Path, data: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_names_are_stems_and_unknown_files_are_left_out(tmp_path: Path) -> None:
    for name in ("a.ugc", "guitar.compressed.ply", "b.SPZ", "notes.txt", ".hidden.ply", ".ply"):
        _put(tmp_path / name)
    _put(tmp_path / "sog" / "meta.json")
    _put(tmp_path / "lod" / "lod-meta.json")
    _put(tmp_path / "lod" / "0_0" / "meta.json")
    _put(tmp_path / "empty" / "readme.md")
    catalogue = Catalogue(tmp_path)
    assert catalogue.names() == ["a", "b", "guitar", "lod", "sog"]
    assert catalogue.find("a").encoded and not catalogue.find("b").encoded
    assert catalogue.find("lod").path == tmp_path / "lod" / "lod-meta.json"
    assert len(catalogue.find("lod").files) == 2


def test_an_encoded_file_takes_the_plain_name(tmp_path: Path) -> None:
    for name in ("a.ply", "a.spz", "a.ugc"):
        _put(tmp_path / name)
    catalogue = Catalogue(tmp_path)
    assert catalogue.names() == ["a", "a.ply", "a.spz"] or catalogue.names() == ["a", "a.spz", "a.ply"]
    assert catalogue.find("a").path.name == "a.ugc"


def test_names_that_become_equal_are_told_apart(tmp_path: Path) -> None:
    for name in ("a b.ply", "a%b.ply", "a?b.ply"):
        _put(tmp_path / name)
    names = Catalogue(tmp_path).names()
    assert len(names) == 3 and "a-b" in names


@pytest.mark.parametrize("name", ["../a", "..", "", "a/../a", "a\0", "/etc/passwd", "%2e%2e", "A"])
def test_only_listed_names_are_found(tmp_path: Path, name: str) -> None:
    _put(tmp_path / "a.ply")
    with pytest.raises(UnknownScene):
        Catalogue(tmp_path).find(name)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_every_file_name_gives_a_name_safe_in_a_url(tmp_path: Path, stem: str) -> None:
    folder = tmp_path / str(len(list(tmp_path.iterdir())))
    folder.mkdir()
    try:
        _put(folder / f"{stem}.ply")
    except OSError:
        return  # no name that this disk takes
    for name in Catalogue(folder).names():
        assert name and not set(name) & set("/\\?#%&:<>\"' \n") and not name.startswith((".", "-"))
        assert len(name.encode()) <= MAX_NAME_BYTES


def test_long_and_undecodable_names(tmp_path: Path) -> None:
    for name in (b"\xff\xfe.ply", "é".encode() * 120 + b".ply", "é".encode() * 120 + b".spz"):
        (tmp_path / os.fsdecode(name)).write_bytes(b"x")
    names = Catalogue(tmp_path).names()
    assert len(names) == 3 and all(len(name.encode()) <= MAX_NAME_BYTES for name in names)


def test_links_out_of_the_folder_are_left_out(tmp_path: Path) -> None:
    outside = _put(tmp_path / "outside" / "secret.ply")
    folder = tmp_path / "scenes"
    inside = _put(folder / "real.ply")
    os.symlink(outside, folder / "stolen.ply")
    os.symlink(outside.parent, folder / "stolen-folder")
    os.symlink(folder / "nowhere.ply", folder / "dangling.ply")
    os.symlink(inside, folder / "alias.ply")
    _put(folder / "sog" / "meta.json")
    os.symlink(outside, folder / "sog" / "means_l.webp")
    assert Catalogue(folder).names() == ["alias", "real"]


def test_rescan_sees_new_changed_and_vanished_files(tmp_path: Path) -> None:
    first = _put(tmp_path / "a.ply", b"one")
    catalogue = Catalogue(tmp_path)
    before = catalogue.find("a")
    _put(tmp_path / "b.ply")
    first.write_bytes(b"other")
    catalogue.rescan()
    assert catalogue.names() == ["a", "b"]
    after = catalogue.find("a")
    assert after.stamp != before.stamp and len(after.content_hash()) == 64
    first.unlink()
    catalogue.rescan()
    assert catalogue.names() == ["b"]


def test_content_hash_follows_bytes_and_names_not_places(tmp_path: Path) -> None:
    for place in ("one", "two"):
        _put(tmp_path / place / "sog" / "meta.json", b"{}")
        _put(tmp_path / place / "sog" / "means.webp", b"m")
    one, two = (Catalogue(tmp_path / place).find("sog") for place in ("one", "two"))
    assert one.content_hash() == two.content_hash()
    (tmp_path / "two" / "sog" / "means.webp").rename(tmp_path / "two" / "sog" / "other.webp")
    assert Catalogue(tmp_path / "two").find("sog").content_hash() != one.content_hash()


@pytest.mark.parametrize("name", ["a.ply", "a.ugc", "sog"])
def test_a_single_scene(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    _put(path / "meta.json" if name == "sog" else path)
    _put(tmp_path / "other.ply")
    assert Catalogue(path).names() == [name.split(".")[0]]


def test_folders_of_views_are_scenes(tmp_path: Path) -> None:
    _put(tmp_path / "flat" / "transforms.json")
    _put(tmp_path / "flat" / "images" / "0.jpg")
    _put(tmp_path / "hall.ugc" / "sparse" / "0" / "images.bin")
    _put(tmp_path / "ours" / "cameras.json")
    _put(tmp_path / "ours" / "a.png")
    _put(tmp_path / "ours" / "b.png")
    _put(tmp_path / "demo" / "cameras.json")
    _put(tmp_path / "demo" / "sheet.png")
    catalogue = Catalogue(tmp_path)
    assert catalogue.names() == ["flat", "hall.ugc", "ours"]
    assert catalogue.find("flat").path == tmp_path / "flat" / "transforms.json"
    assert not catalogue.find("hall.ugc").encoded
    before = catalogue.find("flat")
    _put(tmp_path / "flat" / "images" / "0.jpg", b"another picture")
    catalogue.rescan()
    assert catalogue.find("flat").content_hash() != before.stamp
    assert catalogue.find("flat").stamp != before.stamp


def test_folders_that_are_nearly_views_are_passed_over_with_what_they_lack(tmp_path: Path) -> None:
    _put(tmp_path / "room.ply")
    _put(tmp_path / "one" / "cameras.json")
    _put(tmp_path / "one" / "sheet.png")
    _put(tmp_path / "none" / "cameras.json")
    for name in ("my photos", "my-photos"):
        _put(tmp_path / name / "a.jpg")
    (tmp_path / "started" / "sparse").mkdir(parents=True)
    _put(tmp_path / "notes" / "readme.md")
    _put(tmp_path / ".hidden" / "a.jpg")
    outside = _put(tmp_path.parent / f"{tmp_path.name}-outside" / "a.jpg").parent
    os.symlink(outside, tmp_path / "linked")
    catalogue = Catalogue(tmp_path)
    assert catalogue.names() == ["room"]
    without = "pictures without cameras (transforms.json, sparse or cameras.json)"
    assert catalogue.passed_over() == [
        ("my photos", without),
        ("my-photos", without),
        ("none", "cameras.json needs 2 pictures beside it, found none"),
        ("one", "cameras.json needs 2 pictures beside it, found 1"),
        ("started", "sparse holds no COLMAP model"),
    ]
    _put(tmp_path / "one" / "another.png")
    catalogue.rescan()
    assert catalogue.names() == ["one", "room"] and "one" not in dict(catalogue.passed_over())


def test_a_folder_that_serves_nothing_says_what_it_lacks_itself(tmp_path: Path) -> None:
    folder = _put(tmp_path / "flat" / "cameras.json").parent
    assert Catalogue(folder).passed_over() == [
        ("flat", "cameras.json needs 2 pictures beside it, found none")
    ]
    _put(folder / "room.ply")
    assert Catalogue(folder).passed_over() == []


def test_views_that_links_lead_out_of_the_folder_are_left_out(tmp_path: Path) -> None:
    outside = _put(tmp_path / "outside" / "secret.png").parent
    folder = tmp_path / "scenes"
    _put(folder / "stolen" / "transforms.json")
    os.symlink(outside, folder / "stolen" / "images")
    _put(folder / "linked" / "transforms.json")
    _put(folder / "shared" / "0.png")
    os.symlink(folder / "shared", folder / "linked" / "images")
    assert Catalogue(folder).names() == ["linked"]


def test_a_folder_of_views_alone_is_one_scene_and_among_scenes_it_is_none(tmp_path: Path) -> None:
    _put(tmp_path / "flat" / "transforms.json")
    _put(tmp_path / "flat" / "0.png")
    assert Catalogue(tmp_path / "flat").names() == ["flat"]
    _put(tmp_path / "flat" / "room.ply")
    assert Catalogue(tmp_path / "flat").names() == ["room"]


def test_no_such_place_and_no_scene(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="no such file or folder"):
        Catalogue(tmp_path / "absent")
    with pytest.raises(ServerError, match="not a scene"):
        Catalogue(_put(tmp_path / "a.txt"))


def test_a_vanished_folder_is_reported_without_its_path(tmp_path: Path) -> None:
    folder = tmp_path / "scenes"
    folder.mkdir()
    catalogue = Catalogue(folder)
    folder.rmdir()
    with pytest.raises(ServerError) as caught:
        catalogue.rescan()
    assert str(tmp_path) not in str(caught.value)


def test_pipes_are_no_scenes(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.ply")
    _put(tmp_path / "b.ply")
    assert Catalogue(tmp_path).names() == ["b"]
