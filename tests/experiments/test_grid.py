"""Every combination, each with a key of its own."""

from dataclasses import replace
from pathlib import Path

from exgs.experiments.config import ExperimentConfig
from exgs.experiments.config_file import parse_config
from exgs.experiments.grid import Cell, cell_key, cells, code_checksum


def experiment(**more: object) -> ExperimentConfig:
    document = {
        "scene": [{"generated": {}, "ratios": [20, 50]}],
        "link": [{"mbps": 5}, {"mbps": 20, "loss": 0.01}],
        "head": [{"synthetic": 1}, {"synthetic": 2}],
        "system": [{"kind": "error"}, {"kind": "sog"}],
        "seeds": [1, 2, 3],
        **more,
    }
    return parse_config(document, "x", where="x", folder=Path())


def key(cell: Cell, config: ExperimentConfig, *, content: str = "a", mode: str = "virtual") -> str:
    return cell_key(cell, config, mode=mode, content=content, code="c")


def test_a_file_without_sizes_is_played_once_for_all_of_them() -> None:
    found = list(cells(experiment()))
    assert len(found) == 2 * 2 * 3 * 3  # heads, links, seeds; ours at two sizes and the SOG file
    names = [tuple(cell.names.items()) for cell in found]
    assert len(set(names)) == len(names)
    assert {cell.names["ratio"] for cell in found if cell.system.kind == "sog"} == {""}


def test_cells_of_one_head_come_together() -> None:
    heads = [cell.head.name for cell in cells(experiment())]
    assert heads == sorted(heads)


def test_keys_change_with_what_matters_and_with_nothing_else() -> None:
    config = experiment()
    first, *others = cells(config)
    known = key(first, config)
    assert known == key(first, replace(config, name="other"))
    assert known == key(replace(first, link=replace(first.link, name="other")), config)
    links = [cell for cell in others if cell.link != first.link]
    systems = [cell for cell in others if cell.system != first.system]
    seeds = [cell for cell in others if cell.seed != first.seed]
    different = [key(cells_[0], config) for cells_ in (links, systems, seeds)]
    different += [key(first, config, content="b"), key(first, config, mode="real")]
    different.append(key(first, replace(config, seconds=3.0)))
    lossy = replace(first.link, down=replace(first.link.down, loss=0.5))
    different.append(key(replace(first, link=lossy), config))
    assert len({known, *different}) == len(different) + 1


def test_the_code_has_a_checksum() -> None:
    assert code_checksum(("scene",)) == code_checksum(("scene",)) != code_checksum(("raster",))
