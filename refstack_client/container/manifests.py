"""Write a certification for other machines to run: docker commands, or a Kubernetes job."""

import shlex
from collections.abc import Sequence

import yaml

from refstack_client.container.launch import ContainerLimits
from refstack_client.container.payload import RESULTS

_JOB = "refstack"
_USER = 65532
_CLOUDS = "/etc/openstack"


def docker_commands(limits: ContainerLimits, arguments: Sequence[str], shards: int) -> str:
    """Return a docker command for each part, and the command that merges their runs."""
    options = [
        *("docker", "run", "--rm", "--read-only", "--tmpfs", "/tmp"),  # noqa: S108
        *("--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
        *("--memory", str(limits.memory), "--pids-limit", str(limits.pids)),
        *(("--network", limits.network) if limits.network else ()),
    ]
    mounts = f'-v "$HOME/.config/openstack:{_CLOUDS}:ro" -v "$PWD/results:{RESULTS}"'
    lines = [
        f"{shlex.join(options)} {mounts} {shlex.join([limits.image, *arguments])} --shard {part}"
        for part in (f"{number}/{shards}" for number in range(1, shards + 1))
    ]
    return "\n".join([*lines, "refstack-client merge results/*", ""])


def kubernetes(limits: ContainerLimits, arguments: Sequence[str], shards: int) -> str:
    """Return the manifest of an Indexed Job with a pod for each part.

    Credentials are in a secret, results on a volume that all pods write to (ReadWriteMany).
    """
    # Kubernetes counts from 0.
    part = f"$((JOB_COMPLETION_INDEX + 1))/{shards}"
    command = f"exec refstack-client {shlex.join(arguments)} --shard {part}"
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        **({"hostNetwork": True} if limits.network == "host" else {}),
        "containers": [
            {
                "name": _JOB,
                "image": limits.image,
                "command": ["sh", "-c", command],
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "resources": {"limits": {"memory": limits.memory}},
                "volumeMounts": [
                    {"name": "clouds", "mountPath": _CLOUDS, "readOnly": True},
                    {"name": "results", "mountPath": str(RESULTS)},
                    {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108
                ],
            }
        ],
        "volumes": [
            {"name": "clouds", "secret": {"secretName": f"{_JOB}-clouds"}},
            {"name": "results", "persistentVolumeClaim": {"claimName": f"{_JOB}-results"}},
            {"name": "tmp", "emptyDir": {"medium": "Memory"}},
        ],
    }
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": f"{_JOB}-results"},
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": _JOB},
        "spec": {
            "completionMode": "Indexed",
            "completions": shards,
            "parallelism": shards,
            "backoffLimit": shards,
            "template": {"spec": pod},
        },
    }
    heading = (
        f"# kubectl create secret generic {_JOB}-clouds "
        '--from-file="$HOME/.config/openstack/clouds.yaml"\n'
        "# kubectl apply -f this-file; then copy the runs from the volume and merge them:\n"
        "# refstack-client merge RUN…\n"
    )
    return heading + yaml.safe_dump_all([claim, job], sort_keys=False, width=1000)
