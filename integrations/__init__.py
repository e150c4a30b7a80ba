"""Telling: back ends, sirens, and the outbox between an episode and the world."""
