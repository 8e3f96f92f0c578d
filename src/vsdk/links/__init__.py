"""``vsdk links``: Appointments in, one line per participant out, however many there are."""
