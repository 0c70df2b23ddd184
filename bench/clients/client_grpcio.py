"""grpcio, the stack of Falco's Python client, measured."""

import argparse
import json
import pathlib
import resource
import time

import grpc
# timestamp_pb2 is imported for its entry in the pool.
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

arguments = argparse.ArgumentParser()
arguments.add_argument("--socket", default="")
arguments.add_argument("--certs", default="")
arguments.add_argument("--port", type=int, default=0)
target = arguments.parse_args()

image = pathlib.Path(__file__).parent.joinpath("../../proto/image.binpb").read_bytes()
pool = descriptor_pool.Default()
for file in descriptor_pb2.FileDescriptorSet.FromString(image).file:
    if file.name != "google/protobuf/timestamp.proto":
        pool.AddSerializedFile(file.SerializeToString())
message = lambda name: message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
Request, Response = message("falco.outputs.request"), message("falco.outputs.response")

if target.certs:
    read = lambda name: pathlib.Path(target.certs, name).read_bytes()
    credentials = grpc.ssl_channel_credentials(
        read("ca.crt"), read("client.key"), read("client.crt")
    )
    channel = grpc.secure_channel(f"localhost:{target.port}", credentials)
else:
    channel = grpc.insecure_channel(f"unix://{target.socket}")
call = channel.unary_stream(
    "/falco.outputs.service/get",
    request_serializer=Request.SerializeToString,
    response_deserializer=Response.FromString,
)


def get():
    alerts = digest = 0
    for alert in call(Request()):
        alerts += 1
        digest += len(alert.rule) + len(alert.output) + len(alert.tags)
        digest += len(alert.output_fields["proc.name"])
    return alerts, digest


def cpu_ms():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return (usage.ru_utime + usage.ru_stime) * 1000


get()  # warms up
cpu, start = cpu_ms(), time.monotonic()
alerts, digest = get()
wall_ms = (time.monotonic() - start) * 1000
print(
    json.dumps(
        {
            "alerts": alerts,
            "digest": digest,
            "wallMs": wall_ms,
            "cpuMs": cpu_ms() - cpu,
            "peakMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    )
)
