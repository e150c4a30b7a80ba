"""Devices and back ends to develop against; nothing in the product imports them."""
