"""Hearing that ledgers have grown, whichever process wrote: PostgreSQL tells, SQLite is asked ten times a second."""

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psycopg
from django.db import connection, connections, transaction

CHANNEL = "ledger"
PATIENCE = 5  # seconds after which a watcher looks for itself, in case a word was lost
INTERVAL = 0.1  # seconds between two questions to SQLite


@dataclass(frozen=True)
class Word:
    """What is said to those who listen: the ledger of this business has grown."""

    business_id: object

    def __call__(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(self.business_id)])


def announce(business_id) -> None:
    """Tell whoever watches, once, after the commit of this transaction.

    Not within it: PostgreSQL lets transactions that notify commit only one after the other, all businesses' together.
    A word that a crash swallows is made up for by the watchers' own PATIENCE.
    """
    if connection.vendor != "postgresql":
        return
    word = Word(business_id)
    if not any(waiting == word for _, waiting, _ in connection.run_on_commit):
        transaction.on_commit(word, robust=True)


def growth() -> AsyncGenerator[set[str]]:
    """Yield the ids of businesses whose ledgers have grown, at once and at least every PATIENCE seconds; none named: any may.

    Raises what the database raises; who still wants to know begins anew.
    """
    return _told() if connection.vendor == "postgresql" else _asked()


async def _told():
    """Listen on a connection of its own; what was said before it began to listen may be about any business."""
    async with await psycopg.AsyncConnection.connect(**_parameters(), autocommit=True) as listening:
        await listening.execute(f"LISTEN {CHANNEL}")
        yield set()
        while True:
            heard = {word.payload async for word in listening.notifies(timeout=PATIENCE, stop_after=1)}
            if not heard:
                await listening.execute("SELECT 1")  # silence, or a connection that died without a word?
            yield heard


def _parameters() -> dict:
    ours = connection.get_connection_params()
    return {key: value for key, value in ours.items() if key not in ("cursor_factory", "context", "prepare_threshold")}


async def _asked():
    """Ask SQLite for its version, which grows with every commit of another connection: so one thread asks, and only asks."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, thread_name_prefix="watching") as thread:
        try:
            seen, quiet = None, 0.0
            while True:
                version = await loop.run_in_executor(thread, _data_version)
                if version != seen or quiet >= PATIENCE:
                    seen, quiet = version, 0.0
                    yield set()
                await asyncio.sleep(INTERVAL)
                quiet += INTERVAL
        finally:
            thread.submit(connections.close_all)


def _data_version() -> int:
    with connection.cursor() as cursor:
        return cursor.execute("PRAGMA data_version").fetchall()[0][0]
