"""Experiments of a file hold the same values for mltraq as their copies do: of the same types, in the same order of runs."""

import datetime as d
import math
import os
import pathlib
import sys

import mltraq
import numpy as np
import pandas as pd
import pyarrow as pa
from mltraq.storage.archivestore import Archive, ArchiveStore
from mltraq.utils.sequence import Sequence

file, names = sys.argv[1], sys.argv[2:]
# Data stores are looked up from where the program stands.
os.chdir(os.path.dirname(file))


def files(folder):
    paths = (os.path.join(inner, name) for inner, _, names in os.walk(folder) for name in names)
    return {os.path.relpath(path, folder): pathlib.Path(path).read_bytes() for path in paths}


def same(a, b, where):
    # The number types of pandas are those of Python for this purpose.
    a, b = (x.item() if isinstance(x, np.generic) and not isinstance(x, np.datetime64) else x for x in (a, b))
    # What is missing in a native column is NULL, which comes back as any of these.
    missing = [x is None or x is pd.NaT or (isinstance(x, float) and math.isnan(x)) for x in (a, b)]
    if missing[0] or missing[1]:
        assert missing[0] and missing[1], (where, a, b)
        return
    assert type(a) is type(b), (where, type(a), type(b), a, b)
    if isinstance(a, dict):
        assert list(a) == list(b), (where, list(a), list(b))
        for key in a:
            same(a[key], b[key], f"{where}.{key}")
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b), (where, a, b)
        for i, (x, y) in enumerate(zip(a, b)):
            same(x, y, f"{where}[{i}]")
    elif isinstance(a, np.datetime64):
        assert a.dtype == b.dtype and (a == b or (np.isnat(a) and np.isnat(b))), (where, a, b)
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype and a.shape == b.shape, (where, a.dtype, b.dtype, a.shape, b.shape)
        assert a.flags.f_contiguous == b.flags.f_contiguous, where
        assert a.tobytes("A") == b.tobytes("A"), (where, a, b)
    elif isinstance(a, pd.DataFrame):
        pd.testing.assert_frame_equal(a, b)
    elif isinstance(a, pd.Series):
        pd.testing.assert_series_equal(a, b)
    elif isinstance(a, Sequence):
        pd.testing.assert_frame_equal(a.df(), b.df())
    elif isinstance(a, pa.Table):
        assert a.schema.equals(b.schema, check_metadata=True), (where, a.schema, b.schema)
        # NaN is not itself: the bytes are.
        for x, y in zip(a.to_pydict().values(), b.to_pydict().values()):
            assert repr(x) == repr(y), (where, x, y)
    elif isinstance(a, ArchiveStore):
        # Loaded, it knows where it was unpacked to: a folder of its experiment.
        assert files(a.get_target()) == files(b.get_target()) != {}, where
    elif isinstance(a, Archive):
        assert a.to_bytes() == b.to_bytes(), where
    else:
        assert a == b and (a.__class__ is not float or math.copysign(1, a) == math.copysign(1, b)), (where, a, b)


session = mltraq.create_session(f"sqlite:///{file}")
for original in names:
    a, b = session.load_experiment(original), session.load_experiment(f"copy of {original}")
    same(dict(a.fields), dict(b.fields), "fields")
    runs_a, runs_b = list(a.runs.values()), list(b.runs.values())
    assert len(runs_a) == len(runs_b), (len(runs_a), len(runs_b))
    for i, (x, y) in enumerate(zip(runs_a, runs_b)):
        assert set(x.fields) <= set(y.fields), (original, list(x.fields), list(y.fields))
        for name in x.fields:
            same(x.fields[name], y.fields[name], f"{original}: run {i}: {name}")
