"""A client with grpcio and stubs of our proto/, driven by tests/interop/main.ts.

See ../README.md for what it prints.
"""

import json
import os
import sys
import threading
import time

import grpc

import legacy_output_pb2
import legacy_output_pb2_grpc
import outputs_pb2
import outputs_pb2_grpc
import schema_pb2
import version_pb2
import version_pb2_grpc

POLL_S = 0.05
BACK_OFF_S = 0.05


def say(name, value):
    print(json.dumps({name: value}), flush=True)


class Printer:
    """Prints alerts, and counts them."""

    def __init__(self):
        self.count = 0

    def alert(self, alert):
        self.count += 1
        # Before 0.31 the source was a number alone, before 0.30 there were no tags.
        number = getattr(alert, "source_deprecated", None)
        if number is None:
            source = schema_pb2.source.Name(alert.source).lower()
        else:
            source = alert.source
        say(
            "alert",
            {
                "seconds": str(alert.time.seconds),
                "nanos": alert.time.nanos,
                "priority": int(alert.priority),
                "rule": alert.rule,
                "output": alert.output,
                "output_fields": dict(alert.output_fields),
                "hostname": alert.hostname,
                "tags": list(getattr(alert, "tags", [])),
                "source": source,
            },
        )


def status_of(error):
    """The number of a status; grpcio hands out a pair of number and name."""
    print(error, file=sys.stderr)
    return error.code().value[0]


def open_channel(address, certs):
    if address.startswith("unix:"):
        return grpc.insecure_channel(address)

    def read(name):
        with open(os.path.join(certs, name), "rb") as file:
            return file.read()

    credentials = grpc.ssl_channel_credentials(
        read("ca.crt"), read("client.key"), read("client.crt")
    )
    return grpc.secure_channel(address.removeprefix("https://"), credentials)


def drain(printer, call):
    """Prints what comes, and says how it ended."""
    try:
        for alert in call:
            printer.alert(alert)
        return 0
    except grpc.RpcError as error:
        return status_of(error)


def sub(printer, channel, count, timeout=None):
    """Asks for alerts until there are count of them in total, then cancels."""
    over = threading.Event()

    def requests():
        while not over.is_set():
            yield outputs_pb2.request()
            over.wait(POLL_S)

    call = outputs_pb2_grpc.serviceStub(channel).sub(requests(), timeout=timeout)
    try:
        for alert in call:
            printer.alert(alert)
            if printer.count == count:
                call.cancel()
        return 0
    except grpc.RpcError as error:
        return status_of(error)
    finally:
        over.set()


def subscribe(printer, channel, keepalive, count):
    request = legacy_output_pb2.request(keepalive=keepalive)
    call = legacy_output_pb2_grpc.serviceStub(channel).subscribe(request)
    try:
        for alert in call:
            printer.alert(alert)
            if printer.count == count:
                call.cancel()
        return 0
    except grpc.RpcError as error:
        return status_of(error)


def main():
    address, certs, mode, *rest = sys.argv[1:]
    count = int(rest[0]) if rest else 0
    printer = Printer()
    with open_channel(address, certs) as channel:
        if mode == "version":
            try:
                answer = version_pb2_grpc.serviceStub(channel).version(version_pb2.request())
                say("version", answer.version)
                status = 0
            except grpc.RpcError as error:
                status = status_of(error)
        elif mode == "get":
            call = outputs_pb2_grpc.serviceStub(channel).get(outputs_pb2.request())
            status = drain(printer, call)
        elif mode in ("sub", "outputs-watch"):
            status = sub(printer, channel, count)
        elif mode == "idle":
            status = sub(printer, channel, 1, timeout=0.3)
        elif mode == "watch":
            while (status := sub(printer, channel, count)) != grpc.StatusCode.CANCELLED.value[0]:
                say("end", status)
                time.sleep(BACK_OFF_S)
        elif mode == "subscribe":
            status = subscribe(printer, channel, False, 0)
        elif mode == "subscribe-keepalive":
            status = subscribe(printer, channel, True, count)
        else:
            sys.exit(f"unknown mode {mode}")
    say("status", status)


main()
# Not to the interpreter's own end: a thread of grpcio's that is killed there can keep it for ever.
sys.stderr.flush()
os._exit(0)
