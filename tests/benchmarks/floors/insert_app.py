"""What any endpoint with one INSERT costs: a body kept in a row, over a connection that commits each statement."""

import os
from uuid import uuid4

from flask import Flask, Response, request
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from infrastructure.database.connections import connect_by_these

app = Flask("floor")
# The connections that we use ourselves: psycopg's own waiting under gevent would make a lower floor.
engine = create_engine(make_url(os.environ["FLOOR_DATABASE_URL"]), isolation_level="AUTOCOMMIT", pool_size=10)
connect_by_these(engine)


@app.post("/events")
def keep() -> Response:
    lent = engine.raw_connection()
    try:
        lent.driver_connection.execute(  # type: ignore[union-attr]
            "INSERT INTO floor_events (id, body, received_at) VALUES (%s, %s, now())",
            (uuid4(), request.get_data(cache=False)),
            prepare=True,
        )
    finally:
        lent.close()
    return Response('{"status":"accepted"}', content_type="application/json")
