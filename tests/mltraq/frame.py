"""What pandas makes of the Arrow file of a frame, beside what mltraq loads from the database."""

import datetime
import sys
import uuid

import mltraq
import pandas as pd

file, arrow = sys.argv[1:]
df = pd.read_feather(arrow)
runs = mltraq.create_session(f"sqlite:///{file}").load_experiment("kinds_of_columns").runs
assert len(df) == len(runs) == 4
assert [uuid.UUID(id_run) for id_run in df.id_run] == list(runs.keys())
assert str(df.k.dtype) == "int64" and str(df.spent.dtype) == "float64" and str(df.large.dtype) == "bool"
assert str(df["at"].dtype) == "datetime64[us]", df["at"].dtype
for (_, row), run in zip(df.iterrows(), runs.values()):
    fields = run.fields
    for name in ["k", "map", "large", "operations", "spent"]:
        assert row[name] == fields[name], (name, row[name], fields[name])
    assert row["uuid"] == fields["uuid"]
    assert row["at"] == fields["at"] and row["day"] == fields["day"]
    assert row["time"] == datetime.time(0, 0, 1, 5), row["time"]
    assert bytes(row["bytes"]) == fields["bytes"]
    assert pd.isna(row["scale"]) and pd.isna(row["maybe"]) == (row["k"] == 1)
    assert list(row["list"]) == fields["list"] == [0.5] * row["k"]
    assert row["size"] == fields["size"], row["size"]
    assert [loss["value"] for loss in row["losses"]] == list(fields["losses"].df()["value"])
