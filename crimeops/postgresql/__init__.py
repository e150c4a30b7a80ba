"""PostgreSQL as the cluster uses it: a server that falls silent holds nobody up for long."""
