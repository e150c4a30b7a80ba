"""Seeing: cameras, frames, detections, tracks, rules and episodes."""
