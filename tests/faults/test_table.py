# SPDX-License-Identifier: MIT
"""The rows of torture_table.py for eddyd alone, in a third of the time. The table itself is made by hand."""

from harness import Bench, check, test
from torture_table import ROWS, run_row


@test
def table_rows_lose_and_repeat_nothing(bench: Bench) -> None:
    for row in ROWS:
        count, result = run_row(row, bench.eddyd, bench.seed, beside=False, scale=0.25)
        lost, twice = result["eddy"]
        check(count > 20000, f"{row.name}: only {count} records were written")
        if row.racy:  # what is written between the copy and the truncation is lost, for every reader
            check(lost < count // 100 and twice == 0, f"{row.name}: of {count} {lost} lost, {twice} repeated")
        else:
            check(lost == twice == 0, f"{row.name}: of {count} {lost} lost, {twice} repeated")
