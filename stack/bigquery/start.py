"""Starts bqemulator without two of its ways that would cost most of a small machine's processor time.

- At every insert it copies the whole table, so that FOR SYSTEM_TIME AS OF can look back. That makes loading quadratic in time and on disk, and
  nothing here looks back.
- For `skipInvalidRows` it converts each row on its own. Here that is done only when the rows together can't be converted.
"""

from bqemulator.api.routes import tabledata
from bqemulator.cli import main
from bqemulator.storage.arrow_bridge import bq_rows_to_arrow
from bqemulator.versioning.snapshots import SnapshotManager

partition_row_by_row = tabledata._partition_rows_for_insert


def partition(rows, schema):
    try:
        bq_rows_to_arrow(rows, schema)
    except (ValueError, TypeError):
        return partition_row_by_row(rows, schema)
    return rows, []


SnapshotManager.capture = lambda self, *table, **kind: None
tabledata._partition_rows_for_insert = partition

main()
