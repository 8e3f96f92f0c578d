"""The HTTP and WebSocket shell: translates requests into service calls and decides nothing itself."""
