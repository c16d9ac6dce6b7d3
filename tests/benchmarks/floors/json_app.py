"""What any answer of Flask costs: one route, one small document."""

from flask import Flask, Response, jsonify

app = Flask("floor")


@app.get("/json")
def greet() -> Response:
    return jsonify({"hello": "world"})
