"""Writes an experiment with nested fields, and prints what mltraq makes of them: for each number of levels the columns."""

import json
import sys

import mltraq
from mltraq import Bunch

ROWS = [
    {"a": 1, "x": {"b": 1, "c": {"d": "deep", "e": [1, {"f": 2}]}}, "mixed": {"g": 1}, "empty": {}},
    {"a": 2, "x": {"b": 2.5, "h": True}, "mixed": "seven", "empty": {}},
    {"a": 3, "x": {"c": {"d": "other", "1": {"i": "number"}}}, "mixed": {"g": {"j": None}}, "empty": {}},
    {"a": 4, "x": Bunch(b=4, c=Bunch(d="bunch")), "mixed": {"g": "text"}, "empty": {}},
]

session = mltraq.create_session(f"sqlite:///{sys.argv[1]}")
experiment = session.create_experiment("nested")
for fields in ROWS:
    with experiment.run() as run:
        run.fields |= fields
experiment.persist()

experiment = session.load_experiment("nested")
found = {}
for levels in [0, 1, 2, 9]:
    df = experiment.runs.df(max_level=levels).drop(columns=["id_run"])
    columns = {}
    for name in df.columns:
        # A cell that is missing is NaN.
        items = [None if isinstance(item, float) and item != item else item for item in df[name]]
        columns[name] = [item.item() if hasattr(item, "item") else item for item in items]
    found[levels] = columns
print(json.dumps(found))
