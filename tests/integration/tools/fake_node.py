#!/usr/bin/env python3
"""Stands in for a node: takes its flags, answers its health probe, ends on SIGTERM.

--fail: ends at once. --deaf: never becomes ready. --stubborn: ignores SIGTERM. FAKE_NODE in the
environment: one of these, by name, or another; then it listens for gRPC as well.
"""

import argparse
import http.server
import os
import signal
import socket
import sys


class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204 if self.path == "/v1.0/healthz" and not flags.deaf else 500)
        self.end_headers()

    def log_message(self, *_):
        pass


def stop(*_):
    print("ended in order", flush=True)
    os._exit(0)


parser = argparse.ArgumentParser()
for name in ("name", "data-dir", "listen", "http", "grpc", "join", "bootstrap-expect"):
    parser.add_argument("--" + name, default="")
for name in ("fail", "deaf", "stubborn", "no-discovery"):
    parser.add_argument("--" + name, action="store_true")
flags, others = parser.parse_known_args()
manner = os.environ.get("FAKE_NODE", "")
setattr(flags, manner, True)
if flags.fail:
    sys.exit("no room on the disk")
# What is said is said whole before the end is.
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
signal.signal(signal.SIGTERM, signal.SIG_IGN if flags.stubborn else stop)
server = http.server.HTTPServer(("127.0.0.1", int(flags.http.split(":")[1])), Health)
if others:
    print(f"told {' '.join(others)}", flush=True)
grpc = manner and socket.create_server(("127.0.0.1", int(flags.grpc.split(":")[1])))
print(f"pid {os.getpid()} joins {flags.join} of {flags.bootstrap_expect} in {flags.data_dir}", flush=True)
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
server.serve_forever()
