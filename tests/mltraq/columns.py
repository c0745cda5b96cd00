"""What mltraq, pandas and sqlite3 make of an experiment with columns of every kind."""

import math
import sqlite3
import sys

import mltraq
import pandas as pd

file, count = sys.argv[1], int(sys.argv[2])
session = mltraq.create_session(f"sqlite:///{file}")
experiment = session.load_experiment("every kind of column")
assert len(experiment.runs) == count, len(experiment.runs)
assert experiment.name == "every kind of column"

KINDS = {
    "k": int,
    "small": int,
    "big": int,
    "flag": bool,
    "ratio": float,
    "single": float,
    "spent": float,
    "text": str,
    "mode": str,
    "letter": str,
    "list": list,
    "pair": tuple,
    "map": dict,
    "by_number": dict,
    "nested": dict,
    "choice": dict,
    "member_bytes": list,
    "unit": type(None),
}

seen = set()
for run in experiment.runs.values():
    fields = run.fields
    for name, kind in KINDS.items():
        value = fields[name]
        # The number types of pandas are those of Python for this purpose.
        value = value.item() if hasattr(value, "item") else value
        assert type(value) is kind, (name, value, type(value))
    k = int(fields.k)
    seen.add(k)
    assert fields.flag == (k % 2 == 0)
    assert fields.small == -k
    assert fields.big == 2**62 + k
    assert fields.single == 0.5
    assert fields.spent == 1.5
    assert fields.text == "größe 🦀 \"quoted\"; it's"
    assert fields["mode"] == "FineGrained"
    assert fields.letter == "é"
    assert fields.list == [1.0, math.inf, -0.5]
    assert fields.pair == (k, "日本")
    assert fields["map"] == {"a": 1, "b": -(2**63)}
    assert fields.by_number == {1: [True], 2: []}
    assert fields.nested == {"point": {"x": 1.5, "y": None}, "tags": [None, "t"]}
    assert fields.choice == ({"Sized": {"width": k}} if k else {"Named": "first"})
    assert fields.member_bytes == [0, 255]
    ratio = {0: math.nan, 1: math.inf, 2: -math.inf}.get(k, k / 3)
    assert fields.ratio == ratio or (math.isnan(ratio) and math.isnan(fields.ratio))
    # What is missing is NULL in a native column, and None where the column is serialised.
    present = k % 3 == 0
    for name, value in [("maybe_flag", True), ("maybe_int", 7), ("maybe_float", 0.25), ("maybe_text", "t")]:
        if present:
            assert fields[name] == value, (name, fields[name])
        else:
            assert pd.isna(fields[name]), (name, fields[name])
    assert fields.maybe_list == ([1, 2] if present else None), fields.maybe_list
    if k == 3:
        assert fields.inserted == 33 and fields.inserted_list == [3, 3], (fields.inserted, fields.inserted_list)
    else:
        assert pd.isna(fields.inserted) and fields.inserted_list is None, (fields.inserted, fields.inserted_list)
assert seen == set(range(count)), seen

fields = experiment.fields
assert fields.note == "größe", fields
assert fields.table == {"rows": [1, 2, 3], "of": (None, True)}, fields

listed = session.ls()
assert list(listed["name"]) == ["every kind of column", "bytes"], listed
assert list(listed["table_name"]) == ["experiment_every_kind_of_column", "experiment_bytes"], listed

(run,) = session.load_experiment("bytes").runs.values()
assert run.fields.result == bytes(range(256)), run.fields
assert run.fields.raw == b"\x00raw", run.fields

db = sqlite3.connect(file)
assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
frame = pd.read_sql("SELECT * FROM experiment_every_kind_of_column ORDER BY k", db)
assert len(frame) == count
assert list(frame["k"]) == list(range(count)) and frame["k"].dtype == "int64", frame["k"]
assert frame["ratio"].dtype == "float64" and frame["big"].dtype == "int64"
assert list(frame["maybe_int"].dropna()) == [7] * len(range(0, count, 3))
assert frame["id_run"].str.fullmatch("[0-9a-f]{32}").all()
