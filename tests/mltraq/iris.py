"""What pandas makes of the file that the example `iris` has written: 50 runs, typed columns."""

import sqlite3
import sys

import pandas as pd

with sqlite3.connect(sys.argv[1]) as db:
    frame = pd.read_sql("SELECT * FROM experiment_iris", db)
assert len(frame) == 50, len(frame)
assert frame["k"].dtype == "int64" and frame["seed"].dtype == "int64", frame.dtypes
assert frame["test_ratio"].dtype == "float64" and frame["accuracy"].dtype == "float64", frame.dtypes
assert sorted(set(zip(frame["k"], frame["seed"]))) == [(k, seed) for k in (1, 3, 5, 7, 9) for seed in range(10)]
assert frame["test_ratio"].nunique() == 1
assert frame["accuracy"].between(0.8, 1).all(), frame["accuracy"].describe()
assert frame["id_run"].is_unique
