"""Ports for servers of tests."""

import random
import socket

BELOW_EPHEMERAL = range(20_000, 32_000)
"""Systems take ports for outgoing connections from above: one from here stays free until its server is up."""


def free_port() -> int:
    """Free for UDP and for TCP on 127.0.0.1.

    Raises:
        OSError: none is found among a hundred.
    """
    for port in random.SystemRandom().sample(BELOW_EPHEMERAL, 100):
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
        ):
            try:
                udp.bind(("127.0.0.1", port))
                tcp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free port")
