"""Verifies a Loggia ledger with aics-tlog, an implementation of the C2SP formats by others.

Usage: ledger_oracle.py FOLDER VKEY

FOLDER holds `ledger/` (the ledger), `leaf` and `entry.tlog-proof` (one entry and its proof) and
`old-checkpoint` (an earlier checkpoint). Everything is checked: the signatures, every tile and entry
bundle of the tree, the proof file, and that the earlier checkpoint is a prefix of the later one.
Prints one line that starts with "verified" and ends with code 0, or says why not and ends with 1.
"""

import sys
from pathlib import Path

from aics_tlog.checkpoint import parse_checkpoint, verify_checkpoint
from aics_tlog.hashing import leaf_hash
from aics_tlog.note import b64_decode, parse_note, parse_vkey
from aics_tlog.tiles import (
    FileSystemTileReader,
    consistency_proof_from_tiles,
    read_entry,
    tree_root_from_tiles,
)
from aics_tlog.tree import verify_consistency, verify_inclusion
from aics_tlog.verified import VerifiedTileReader, audit_tiles


def checkpoint(text, key):
    """Returns the checkpoint of a note signed by `key`."""
    note = parse_note(text)
    result = verify_checkpoint(note, key, expected_origin=key.name)
    if not (result.ok and result.log_ok):
        raise ValueError(f"checkpoint refused: {result.error}")
    return parse_checkpoint(note.text)


def proof_file(text):
    """Takes a tlog-proof file apart: index, hashes, checkpoint."""
    head, _, signed = text.partition("\n\n")
    lines = head.split("\n")
    if lines[0] != "c2sp.org/tlog-proof@v1" or not lines[1].startswith("index "):
        raise ValueError("not a proof file")
    return int(lines[1][len("index ") :]), [b64_decode(line) for line in lines[2:]], signed


def main(folder, vkey):
    """Verifies everything in `folder`; raises on the first problem."""
    key = parse_vkey(vkey)
    ledger = folder / "ledger"
    new = checkpoint((ledger / "checkpoint").read_bytes(), key)
    reader = FileSystemTileReader(ledger)
    audit = audit_tiles(reader, new.size, new.root)
    if tree_root_from_tiles(reader, new.size) != new.root:
        raise ValueError("the tiles have another root")

    index, hashes, signed = proof_file((folder / "entry.tlog-proof").read_text())
    under = checkpoint(signed, key)
    leaf = (folder / "leaf").read_bytes()
    if not verify_inclusion(leaf_hash(leaf), index, under.size, hashes, under.root):
        raise ValueError("the proof does not show the leaf")
    verified = VerifiedTileReader(reader, new.size, new.root)
    if read_entry(verified, index, new.size) != leaf:
        raise ValueError("the bundle holds another entry")

    old = checkpoint((folder / "old-checkpoint").read_bytes(), key)
    proof = consistency_proof_from_tiles(verified, old.size, new.size)
    if not verify_consistency(old.size, new.size, old.root, new.root, proof):
        raise ValueError("the old checkpoint is no prefix")
    print(f"verified {new.size} entries, {audit.tiles} tiles, {audit.bundles} bundles")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2])
    except (ValueError, OSError) as error:
        sys.exit(f"refused: {error}")
