"""SQLite files that several processes write to at once: opened with patience, and set up once."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

__all__ = ["connected"]

PATIENCE = 20.0
"""Seconds that a writer waits for another."""
ATTEMPTS = 100
"""At opening a file that another process is just making: of two one is turned away, whatever its patience."""


def connected(path: Path, script: str) -> sqlite3.Connection:
    """A connection that any thread may use, one at a time, after `script` has run. Raises `sqlite3.Error`."""
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=PATIENCE)
    for attempt in range(ATTEMPTS):
        try:
            database.executescript(script)
            break
        except sqlite3.Error as error:
            if "locked" not in str(error) or attempt == ATTEMPTS - 1:
                database.close()
                raise
            time.sleep(0.05)
    return database
