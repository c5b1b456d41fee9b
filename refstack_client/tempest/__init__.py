"""Tempest itself: tempest.conf, discovery, inventory, workspace, stestr."""
