"""The whole product on one machine: real workers, simulated cameras and back end."""
