"""Labels that this program or Thanos gives to series, which nobody else's may be."""

CLUSTER = "cluster"
HUB, REPLICA = "hub", "replica"
"""External labels that tell one stack's blocks from another's, and replicas' from each other; alerts lose both."""
RULER, RECEIVE = "ruler", "receive"
"""External labels of the blocks of these roles, in place of the hub's."""
RULER_REPLICA = "ruler_replica"
"""Tells stateless Rulers apart: in Receive `replica` is the ingestor's."""
TENANT = "tenant_id"
"""Given by Receive, by its own default, to what it takes from a writer."""

OF_BLOCKS = (HUB, REPLICA, RULER, RULER_REPLICA, RECEIVE, TENANT)
"""Where a series has one of them too, Thanos puts its own value over it, and several series become one."""
RESERVED = (CLUSTER, *OF_BLOCKS)
