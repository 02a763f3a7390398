"""Opens one Loggia segment with pyarrow, by key metadata and a KMS client, and prints what it found as JSON.

Usage: LOGGIA_SEGMENT_KEY=<64 hex digits> pyarrow_segment.py FILE.parquet

The file is encrypted by Parquet Modular Encryption. Its key metadata (PKMT1) names the key by a reference; a real KMS
client would hand the reference to a key server, this one answers with the key given.
"""

import json
import os
import sys

import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe

asked = []


class SegmentKeys(pe.KmsClient):
    """Answers every request with the key of the one segment that is opened."""

    def __init__(self, _connection):
        super().__init__()

    def wrap_key(self, key_bytes, master_key_identifier):
        raise NotImplementedError("segments are only read here")

    def unwrap_key(self, wrapped_key, master_key_identifier):
        asked.append({"masterKeyID": master_key_identifier, "reference": wrapped_key})
        return bytes.fromhex(os.environ["LOGGIA_SEGMENT_KEY"])


def main(path):
    with open(path, "rb") as file:
        assert file.read(4) == b"PARE", "the footer must be encrypted"
    properties = pe.CryptoFactory(SegmentKeys).file_decryption_properties(
        pe.KmsConnectionConfig(), pe.DecryptionConfiguration()
    )
    segment = pq.ParquetFile(path, decryption_properties=properties)
    table = segment.read()
    table.validate(full=True)
    times = table.column("time").cast("int64").to_pylist()
    group = segment.metadata.row_group(0)
    print(
        json.dumps(
            {
                "rows": table.num_rows,
                "columns": table.column_names,
                "sorted": times == sorted(times),
                "compression": group.column(0).compression,
                "distinct_writes": len(set(table.column("_write_id").to_pylist())),
                **asked[0],
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
