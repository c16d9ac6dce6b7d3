"""What people are told of events, by business word; `application/messaging/told.py` says of which."""
