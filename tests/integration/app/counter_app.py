#!/usr/bin/env python3
"""An app as Dapr's SDKs make them, by the standard library alone: what it is asked it writes down.

It hosts the type Counter (and those of --types): methods on an actor, by their names:

    inc            reads `count` from the node's state API, adds one, writes it back
    get            the count
    slow           as inc, but sleeps for the seconds in the body between reading and writing
    echo           what came: verb, path, query, headers, body
    fail           500 "boom";  status/N answers N;  marked: 200 with the error header
    timer/N, remind/N   written down; what the file CONTROL/N says is the status

Every request is a line of JSON in --journal: begin and end, with the actor, so that a test can see
what ran beside what.
"""

import argparse
import json
import os
import pathlib
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--node", type=int, required=True, help="the node's HTTP port")
parser.add_argument("--journal", type=pathlib.Path, required=True)
parser.add_argument("--config", default='{"entities":["Counter"]}')
parser.add_argument("--control", type=pathlib.Path, default=pathlib.Path("/nonexistent"))
flags = parser.parse_args()
journal = flags.journal.open("a", buffering=1)
lock = threading.Lock()


def note(**entry):
    with lock:
        journal.write(json.dumps({"at": time.monotonic(), "app": flags.port, **entry}) + "\n")


def node(method: str, path: str, body=None, headers=None):
    request = urllib.request.Request(f"http://127.0.0.1:{flags.node}/v1.0{path}", method=method,
                                     data=None if body is None else json.dumps(body).encode(),
                                     headers={"content-type": "application/json", **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def count_of(actor: str) -> int:
    status, body = node("GET", f"/actors/{actor}/state/count")
    if status == 204:
        return 0
    assert status == 200, (status, body)
    return json.loads(body)


def add_one(actor: str, pause: float) -> int:
    count = count_of(actor) + 1
    time.sleep(pause)
    status, body = node("POST", f"/actors/{actor}/state",
                        [{"operation": "upsert", "request": {"key": "count", "value": count}}])
    if status != 204:
        raise OSError(f"state: {status} {body!r}")
    return count


class App(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    turn = None

    def answer(self, status: int, body: bytes = b"", **headers):
        if self.turn is not None:  # it is over before the node can know
            note(what="end", **self.turn)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def do_GET(self):
        note(what="get", path=self.path, token=self.headers.get("dapr-api-token"))
        if self.path == "/dapr/config":
            self.answer(200, flags.config.encode(), content_type="application/json")
        elif self.path == "/healthz":
            well = not (flags.control / "unwell").exists()
            self.answer(200 if well else 500)
        else:
            self.answer(404)

    def do_DELETE(self):
        note(what="deactivate", path=self.path)
        self.answer(200)

    def do_PUT(self):
        body = self.body()
        path, _, query = self.path.partition("?")
        parts = path.split("/")
        actor, method = "/".join(parts[2:4]), "/".join(parts[5:])
        self.turn = {"actor": actor, "method": method}
        note(what="begin", **self.turn, body=body.decode(errors="replace"))
        try:
            self.run(actor, method, query, body)
        except (OSError, AssertionError) as error:
            self.answer(500, str(error).encode())

    def run(self, actor: str, method: str, query: str, body: bytes):
        json_type = {"content_type": "application/json"}
        if method == "inc":
            self.answer(200, json.dumps(add_one(actor, 0)).encode(), **json_type)
        elif method == "get":
            self.answer(200, json.dumps(count_of(actor)).encode(), **json_type)
        elif method == "slow":
            self.answer(200, json.dumps(add_one(actor, float(body))).encode(), **json_type)
        elif method == "echo":
            said = {"verb": self.command, "path": self.path, "query": query, "body": body.decode(),
                    "headers": {name.lower(): value for name, value in self.headers.items()}}
            self.answer(200, json.dumps(said).encode(), x_echo="yes", **json_type)
        elif method == "fail":
            self.answer(500, b"boom")
        elif method == "marked":
            self.answer(200, b'{"error":"marked"}', X_DaprErrorResponseHeader="true", **json_type)
        elif method.startswith("status/"):
            self.answer(int(method.split("/")[1]), b"as told")
        elif method == "die":
            os._exit(3)
        elif method == "call":
            asked = json.loads(body)
            headers = {}
            if "Dapr-Reentrancy-Id" in self.headers:
                headers["Dapr-Reentrancy-Id"] = self.headers["Dapr-Reentrancy-Id"]
            status, said = node("PUT", asked["path"], asked.get("body"), headers)
            self.answer(200, json.dumps({"status": status, "body": said.decode()}).encode(), **json_type)
        elif method == "register":
            asked = json.loads(body)
            status, said = node("POST", f"/actors/{actor}/{asked['path']}", asked["body"])
            self.answer(200, json.dumps({"status": status, "body": said.decode()}).encode(), **json_type)
        elif method.startswith(("timer/", "remind/")):
            told = flags.control / method.split("/", 1)[1]
            status = int(told.read_text()) if told.exists() else 200
            cancel = {"X_DaprReminderCancel": "true"} if (flags.control / "cancel").exists() else {}
            self.answer(status, b"", **cancel)
        else:
            self.answer(404)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True


server = Server(("127.0.0.1", flags.port), App)
note(what="start", pid=os.getpid())
server.serve_forever()
