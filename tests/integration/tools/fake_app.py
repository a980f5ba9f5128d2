#!/usr/bin/env python3
"""Stands in for an app: says what it was told, and ends on SIGTERM.

--exit CODE: ends at once. --stubborn: ignores SIGTERM. --child: starts another that is no better.
"""

import os
import signal
import subprocess
import sys


def stop(*_):
    print("app ended in order", flush=True)
    os._exit(0)


arguments = sys.argv[1:]
if "--exit" in arguments:
    sys.exit(int(arguments[arguments.index("--exit") + 1]))
signal.signal(signal.SIGTERM, signal.SIG_IGN if "--stubborn" in arguments else stop)
if "--child" in arguments:
    child = subprocess.Popen([sys.executable, __file__, "--stubborn", "child"])
names = ("APP_ID", "APP_PORT", "DAPR_HTTP_PORT", "DAPR_GRPC_PORT", "APP_API_TOKEN", "STAGE")
told = " ".join(f"{name}={os.environ.get(name, '')}" for name in names)
print(f"pid {os.getpid()} {told} with {arguments} in {os.getcwd()}", flush=True)
while True:
    signal.pause()
