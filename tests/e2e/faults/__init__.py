"""The promises on the worst day: really killed, frozen and cut."""
