"""The causes, one file each or a few of one kind: functions from a scene to findings, tried in the order of the
ladder."""
