"""Experiments of MLtraq's own, and what xp makes of them: see tests/transfer/python.rs.

copies.py make|equal|load|parts|merged|continue FILE, in the directory of the file.
"""

import contextlib
import datetime
import math
import sqlite3
import sys
import uuid

import numpy as np
import pandas as pd
import pyarrow as pa

import mltraq
from mltraq import Bunch, DataStore, Sequence
from mltraq.opts import options
from mltraq.storage import serialization

options().set("tqdm.disable", True)


def kinds(run):
    k = run.params.k
    run.fields.a_bool = k % 2 == 0
    run.fields.b_int = k
    run.fields.c_float = [math.inf, -0.5, 1e-300][k]
    run.fields.d_text = "größe 🦀 'q'"
    run.fields.e_bytes = b"\x00\xff" * k
    run.fields.f_time = datetime.datetime(2024, 1, 2, 3, 4, 5, 678)
    run.fields.g_date = datetime.date(2024, 2, 29)
    run.fields.h_list = [1, 2**100, None, ("t", {1, 2})]
    run.fields.i_dict = {1: "one", None: 2.5, ("a", 1): b"b"}
    run.fields.j_bunch = Bunch(x=Bunch(y=[k]), id=uuid.UUID(int=k))
    run.fields.k_array = np.arange(6, dtype=">i4").reshape(2, 3)
    run.fields.l_fortran = np.asfortranarray(np.ones((2, 3)))
    run.fields.m_frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    run.fields.n_series = pd.Series([1.0, 2.0])
    run.fields.o_table = pa.table({"c": [1, None]})
    run.fields.p_sequence = Sequence()
    run.fields.p_sequence.append(loss=0.5 * k)
    run.fields.q_store = DataStore()
    run.fields.q_store.array = np.arange(100)
    run.fields.r_stores = [DataStore(), DataStore()]
    for i, store in enumerate(run.fields.r_stores):
        store.value = i
        store.inner = DataStore()
        store.inner.deep = [i]


def mixed(run):
    k = run.params.k
    run.fields.always = k
    if k > 0:
        run.fields.later = k
    if k < 2:
        run.fields.a_list = [k]
    run.fields.maybe = None if k == 0 else float(k)


def execute(session, name, step, ks):
    experiment = session.create_experiment(name)
    for k in ks:
        run = experiment.runs.next()
        run.params = Bunch(k=k)
    experiment.execute(step, n_jobs=1)
    return experiment


def make(session):
    experiment = execute(session, "all kinds", kinds, range(3))
    experiment.fields.note = "kept"
    experiment.fields.store = DataStore()
    experiment.fields.store.weights = [1, 2, 3]
    experiment.fields.array = np.arange(3)
    experiment.persist()
    execute(session, "mixed", mixed, range(4)).persist()
    session.create_experiment("empty").persist()


def plain(value):
    """A value that can be compared, with its types."""
    if isinstance(value, np.ndarray):
        return ("array", str(value.dtype), value.shape, value.flags.f_contiguous, value.tolist())
    if isinstance(value, pd.DataFrame):
        return ("frame", [str(t) for t in value.dtypes], repr(value.to_dict()))
    if isinstance(value, pd.Series):
        return ("series", str(value.dtype), repr(value.to_dict()))
    if isinstance(value, pa.Table):
        return ("table", str(value.schema), value.to_pydict())
    if isinstance(value, Sequence):
        return ("sequence", plain(value.df()))
    if isinstance(value, dict):
        return (type(value).__name__, [(k, plain(v)) for k, v in value.items()])
    if isinstance(value, pd.Timestamp) and pd.isna(value):
        return ("timestamp", "nat")
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, [plain(v) for v in value])
    if isinstance(value, float) and math.isnan(value):
        return ("float", "nan")
    return (type(value).__name__, value)


def described(session, name):
    experiment = session.load_experiment(name)
    runs = [(id_run, plain(dict(sorted(run.fields.items())))) for id_run, run in experiment.runs.items()]
    return plain(experiment.fields), runs


def stored(name):
    """The meta as it is stored, but for the name of the table."""
    with contextlib.closing(sqlite3.connect(sys.argv[2])) as db:
        (blob,) = db.execute("SELECT meta FROM experiments WHERE name = ?", [name]).fetchone()
    meta = serialization.deserialize(blob)
    meta.runs.table_name = None
    for names in ("serialized", "non_serialized"):
        meta.runs.columns[names] = sorted(meta.runs.columns[names])
    return plain(meta)


def equal(session):
    names = [name for name in session.ls().name if not name.startswith("copy of ")]
    assert len(names) == 3, names
    for name in names:
        copy = f"copy of {name}"
        assert described(session, name) == described(session, copy), name
        assert session.load_experiment(name).id_experiment != session.load_experiment(copy).id_experiment
        assert stored(name) == stored(copy), name


def load(session):
    names = [name for name in session.ls().name if name.endswith("all kinds")]
    assert len(names) == 1, names
    experiment = session.load_experiment(names[0])
    assert experiment.fields.store.weights == [1, 2, 3]
    for run in experiment.runs.values():
        assert run.fields.q_store.array.sum() == 4950
        assert [store.value for store in run.fields.r_stores] == [0, 1]
        assert [store.inner.deep for store in run.fields.r_stores] == [[0], [1]]


def parts(session):
    a = execute(session, "a", lambda run: run.fields.update(x=run.params.k, only_a=[1]), range(3))
    a.persist()
    b = session.create_experiment("b")
    for run in list(a.runs.values())[:1]:
        b.runs.add(run)
    for k in (10, 11):
        run = b.runs.next()
        run.fields.x = k
        run.fields.only_a = [2]
    for run in b.runs.values():
        run.fields.pop("only_a")
        run.fields.only_b = "b"
    b.persist()


def merged(session):
    experiment = session.load_experiment("merged")
    runs = [run.fields for run in experiment.runs.values()]
    assert sorted(run.x for run in runs) == [0, 1, 2, 10, 11], runs
    for run in runs:
        right = run.x in (0, 10, 11)
        assert (run.only_b == "b") == right, run
        assert run.only_a == (None if right else [1]), run


def again(run):
    run.fields.again = run.config.factor * run.params.x


def go_on(session):
    experiment = session.load_experiment("scaled")
    experiment.execute(again, n_jobs=1, args_field="args")
    for run in experiment.runs.values():
        assert run.fields.again == run.fields.y == 3 * run.fields.x
    session.persist_experiment(experiment, name="continued")


programs = {
    "make": make,
    "equal": equal,
    "load": load,
    "parts": parts,
    "merged": merged,
    "continue": go_on,
}
session = mltraq.create_session(f"sqlite:///{sys.argv[2]}")
programs[sys.argv[1]](session)
