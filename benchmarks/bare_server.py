"""Serve the least that an application with FastAPI and a database does for a request.

python benchmarks/bare_server.py --database URL --port PORT

``GET /ID`` reads four columns of one row of the results by their id and returns them as a JSON
object. ``POST /`` parses a JSON body and writes one row with two of its values, without the tests.
Both run in a thread and have a session of SQLAlchemy over the engines of the real server, so that
the database is set up alike and a write is on the disk before the answer. The server is uvicorn
with the HTTP parser of the real server. There is nothing else: no middleware, caller, right, limit,
log, metric or ETag, and no model of bodies and answers.
"""

import argparse
from typing import Any

import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.orm import Session

from refstack_server.store import database
from refstack_server.store.schema import Result


def create(url: str) -> FastAPI:
    """Return the application over a database."""
    app = FastAPI()
    engine = database.connect(url)
    writer = database.writer(engine)

    @app.get("/{result_id}", response_model=None)
    def read(result_id: str) -> dict[str, Any]:
        columns = Result.id, Result.created_at, Result.duration_seconds, Result.conformance
        with Session(engine) as session:
            row = session.execute(sa.select(*columns).where(Result.id == result_id)).one()
        return dict(row._mapping)

    @app.post("/", response_model=None, status_code=201)
    async def write(request: Request) -> dict[str, Any]:
        return await run_in_threadpool(add, await request.json())

    def add(body: dict[str, Any]) -> dict[str, Any]:
        cpid, seconds = body["cpid"], body["duration_seconds"]
        result = Result(
            cpid=cpid, cpid_folded=cpid, duration_seconds=seconds, listed=False, outcomes=b""
        )
        with Session(writer, expire_on_commit=False) as session:
            session.add(result)
            session.commit()
        return {"id": result.id}

    return app


def main() -> None:
    """Serve until the process is terminated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True)
    parser.add_argument("--port", type=int, required=True)
    args = parser.parse_args()
    settings = {"http": "h11", "ws": "none", "access_log": False, "log_config": None}
    uvicorn.run(create(args.database), port=args.port, **settings)


if __name__ == "__main__":
    main()
