"""Tables and coder: symbols to words and back."""

import numpy as np
import pytest

from exgs.codec.entropy.rans import LOWEST, encode, next_bits, next_symbol
from exgs.codec.entropy.tables import (
    BETA,
    COARSE,
    FINE,
    MAX_SYMBOLS,
    SINGLE,
    TOTAL,
    Family,
    Table,
    beta_binomial,
    build,
    normalised,
    parse_families,
    serialize_families,
    table_bits,
)
from exgs.codec.errors import Corrupt, Truncated
from exgs.codec.fields import FieldReader, FieldWriter
from exgs.codec.writing.fitting import coded_bits, fit_family, fit_splits

FAMILIES = (
    Family((Table(BETA, (9,)), Table(COARSE, (3, 0, 15, 1))), tuple([0] * 25 + [1])),
    Family((Table(FINE, (255, 1, 0, 77)), Table(SINGLE, (41,))), (0, 1, 1)),
)


def test_frequencies_add_up_and_keep_what_is_rare() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        weights = [int(w) for w in rng.integers(0, 2, 42) * 2 ** rng.integers(0, 60, 42)]
        weights[int(rng.integers(42))] = 1
        frequencies = normalised(weights)
        assert sum(frequencies) == TOTAL
        assert [f > 0 for f in frequencies] == [w > 0 for w in weights]


def test_a_beta_binomial_with_much_prior_is_binomial() -> None:
    assert beta_binomial(16, 2) == [512, 512, 512]
    steep = normalised(beta_binomial(255, 4))
    assert steep == steep[::-1] and steep[2] > steep[1] > steep[0]


def test_families_come_back() -> None:
    writer = FieldWriter()
    serialize_families(writer, FAMILIES)
    reader = FieldReader(bytes(writer.data), section="tables")
    assert parse_families(reader, [26, 3]) == FAMILIES
    assert reader.offset == len(writer.data)
    for cut in range(len(writer.data)):
        with pytest.raises((Truncated, Corrupt)):
            parse_families(FieldReader(bytes(writer.data[:cut]), section="tables"), [26, 3])


@pytest.mark.parametrize(
    "table", [Table(SINGLE, (MAX_SYMBOLS,)), Table(COARSE, (1, 0)), Table(FINE, (0,)), Table(BETA, (0,))]
)
def test_unsound_tables_are_refused(table: Table) -> None:
    writer = FieldWriter()
    serialize_families(writer, [Family((table,), (0, 0, 0))])
    with pytest.raises(Corrupt) as caught:
        parse_families(FieldReader(bytes(writer.data), section="tables"), [3])
    assert caught.value.rule == "M14"


def test_only_the_first_family_may_have_beta_binomials() -> None:
    beta = Family((Table(BETA, (7,)),), (0,) * 32)
    writer = FieldWriter()
    serialize_families(writer, [beta, beta])
    with pytest.raises(Corrupt) as caught:
        parse_families(FieldReader(bytes(writer.data), section="tables"), [32, 32])
    assert caught.value.rule == "M14"


def test_symbols_and_raw_bits_come_back() -> None:
    rng = np.random.default_rng(1)
    coder = build(FAMILIES)
    symbols = {0: [0, 1, 2], 25: [0, 2, 3], 26: [0, 1, 3], 27: [41]}
    plan = []
    for _ in range(5000):
        context = int(rng.choice(list(symbols)))
        plan.append((context, int(rng.choice(symbols[context])), int(rng.integers(0, 17))))
    raw = [int(rng.integers(0, 1 << bits)) if bits else 0 for _, _, bits in plan]
    events = np.array(
        [c | s << 10 | b << 16 | 1 << 21 | v << 32 for (c, s, b), v in zip(plan, raw, strict=True)], np.int64
    )
    words = np.zeros(4 * len(events) + 8, np.uint16)
    words = words[encode(events, coder.tables, coder.table_of, words) :].copy()
    a, b = int(words[0]) | int(words[1]) << 16, int(words[2]) | int(words[3]) << 16
    got, bits_got, at = [], [], 4
    decode = compiled_reader()
    got, bits_got, a, b, at = decode(
        words, coder.tables, coder.table_of, np.array(plan, np.int64), (a, b, at)
    )
    assert got.tolist() == [symbol for _, symbol, _ in plan]
    assert bits_got.tolist() == raw
    assert (a, b, at) == (LOWEST, LOWEST, len(words))


def compiled_reader():  # type: ignore[no-untyped-def]
    from numba import njit

    @njit
    def read(words, tables, table_of, plan, state):  # type: ignore[no-untyped-def]
        a, b, at = state
        symbols, values = np.zeros(len(plan), np.int64), np.zeros(len(plan), np.int64)
        for index in range(len(plan)):
            symbols[index], a, b, at = next_symbol(words, tables, table_of[plan[index, 0]], a, b, at)
            values[index], a, b, at = next_bits(words, plan[index, 2], a, b, at)
        return symbols, values, a, b, at

    return read


def test_fitted_tables_come_close_to_the_entropy_and_share_where_it_pays() -> None:
    rng = np.random.default_rng(2)
    counts = np.zeros((8, MAX_SYMBOLS), np.int64)
    for context in range(8):
        drawn = rng.geometric(0.5 if context < 4 else 0.1, 4000) - 1
        counts[context] = np.bincount(np.minimum(drawn, 41), minlength=MAX_SYMBOLS)
    family = fit_family(counts)
    assert len(family.tables) == 2
    assert len(set(family.map[:4])) == len(set(family.map[4:])) == 1
    shares = counts / counts.sum(axis=1, keepdims=True)
    entropy = -(counts * np.log2(np.where(shares > 0, shares, 1))).sum()
    assert coded_bits(family, counts) < 1.02 * entropy


def test_few_symbols_make_a_single_small_table() -> None:
    counts = np.zeros((8, MAX_SYMBOLS), np.int64)
    counts[:, :5] = [3, 2, 1, 0, 1]
    family = fit_family(counts)
    assert len(family.tables) == 1
    assert table_bits(family.tables[0]) <= 8 + 5 * 4
    assert fit_family(np.zeros((8, MAX_SYMBOLS), np.int64)).tables == (Table(SINGLE, (0,)),)


def test_splits_share_one_distribution_until_there_are_many() -> None:
    rng = np.random.default_rng(3)
    few, many = (np.zeros((26, MAX_SYMBOLS), np.int64) for _ in range(2))
    for context in range(14):
        n = context + 2
        few[context] = np.bincount(rng.binomial(n, 0.5, 20), minlength=MAX_SYMBOLS)
        many[context] = np.bincount(np.where(rng.random(9000) < 0.5, 0, n), minlength=MAX_SYMBOLS)
    assert len(fit_splits(few).tables) == 1
    assert len(fit_splits(many).tables) > 5
