"""How uvicorn is run, by ``vsdk serve`` and by the demo alike."""

from typing import Any

from vsdk.settings import Settings


def server_options(settings: Settings) -> dict[str, Any]:
    """How uvicorn is to be run: pings that notice dead connections, small messages, our own logging."""
    return {
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "ws_ping_interval": 5.0,
        "ws_ping_timeout": 10.0,
        "ws_max_size": 64 * 1024,
        "ws_per_message_deflate": False,  # a compressor would take more memory than the rest of a seat
        "proxy_headers": bool(settings.trusted_proxies),
        "forwarded_allow_ips": settings.trusted_proxies,
        "timeout_graceful_shutdown": 3,
    }
