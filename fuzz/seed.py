"""Makes corpora in the folder that is named, of the databases of MLtraq in tests/data/mltraq: one file for each blob that is small."""

import hashlib
import pathlib
import sqlite3
import sys

LARGEST = 4096

here = pathlib.Path(__file__).resolve().parent
corpus = pathlib.Path(sys.argv[1])


def keep(target, blob):
    if len(blob) <= LARGEST:
        folder = corpus / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / hashlib.sha256(blob).hexdigest()[:16]).write_bytes(blob)


def inner(blob, begin, target):
    at = blob.find(begin)
    if at >= 4:
        # Before it stand the opcode of bytes and their length.
        length = int.from_bytes(blob[at - 4 : at], "little")
        if blob[at - 5 : at - 4] == b"B":
            keep(target, blob[at : at + length])
        elif blob[at - 2 : at - 1] == b"C":
            keep(target, blob[at : at + blob[at - 1]])


for file in sorted((here.parent / "tests/data/mltraq").glob("*.db")):
    db = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        for row in db.execute(f'SELECT * FROM "{table}"'):
            for blob in row:
                if isinstance(blob, bytes):
                    keep("pickle", blob)
                    keep("datapak", blob)
                    inner(blob, b"\x93NUMPY", "npy")
                    inner(blob, b"ARROW1\0\0", "arrow")
