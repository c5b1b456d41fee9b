"""Remove leaked resources of a run from the cloud, and its workspaces from this machine."""

import shlex
from collections.abc import Sequence

from refstack_client.cloud.account import Account
from refstack_client.cloud.connection import Cloud, connect
from refstack_client.outcomes import run_attempts, run_directory
from refstack_client.outcomes.run_directory import Run
from refstack_client.planning.request import CertificationRequest
from refstack_client.running import resume, run_recorder
from refstack_client.tempest import workspace
from refstack_client.tempest.workspace import Workspace, is_workspace
from refstack_client.tenants import accounts_file, removal, resource_record
from refstack_client.tenants.removal import Removal, Show
from refstack_client.tenants.resource_record import ExpectedNames


def clean_run(
    request: CertificationRequest, run: Run, show: Show = removal.show_nothing
) -> Removal:
    """Connect to the cloud of a run and remove its leaked resources, without resuming it.

    :param show: shows the progress
    :raises CloudError: the cloud cannot be used
    :raises InputError: it is another cloud, or the record names what the run did not create
    :raises MachineError: another process uses the run
    """
    cloud = connect(request.cloud, request.projects)
    with run_recorder.locked(run):
        resume.check_same_cloud(run, cloud.facts)
        return clean(cloud, run, request, show)


def clean(
    cloud: Cloud, run: Run, request: CertificationRequest, show: Show = removal.show_nothing
) -> Removal:
    """Remove the leaked resources of earlier attempts of a run, and their workspaces.

    :param show: shows the progress
    :raises InputError: the record names what the run did not create; nothing is removed then
    """
    cut_off = [attempt for attempt in run_directory.attempts(run) if attempt.was_cut_off]
    file = request.accounts_file if cut_off else None
    users = accounts_file.read(file) if file else ()
    names = ExpectedNames(run.name_prefix, request.class_names)
    done = remove(cloud, run, names, users, show)
    if not done.leaked:
        for attempt in cut_off:
            run_recorder.keep_attempt(
                run, {"attempt": attempt.number, "ended": run_attempts.CUT_OFF}
            )
    return done


def empty_projects(cloud: Cloud, users: Sequence[Account], prefix: str) -> Removal:
    """Remove what tests created in the projects of an accounts file.

    :param prefix: start of its names
    """
    if users and (reason := removal.unreachable(cloud)):
        names = ", ".join(user.project_name for user in users)
        return Removal(leaked=(f"the content of the projects {names} is unknown: {reason}",))
    done = Removal()
    for user in users:
        done += removal.empty_project(cloud, user.as_auth(), f"project {user.project_name}", prefix)
    return done


def advice(run: Run, leaked: Sequence[str], options: Sequence[str]) -> tuple[str, ...]:
    """Return lines that name what remains in the cloud, and the command that removes it.

    :param leaked: a sentence for each resource
    :param options: of the command, which name the cloud where the run does not
    """
    if not leaked:
        return ()
    command = shlex.join(("refstack-client", "certify", "--clean", str(run.directory), *options))
    return (
        *(f"not removed: {sentence}" for sentence in leaked),
        "to remove what remains in the cloud:",
        f"  {command}",
    )


def remove(
    cloud: Cloud,
    run: Run,
    names: ExpectedNames,
    users: Sequence[Account],
    show: Show = removal.show_nothing,
) -> Removal:
    """Remove the leaked resources of a run, and its workspaces on this machine.

    :param names: the names that the record of the run may hold
    :param users: of the accounts file, as whom it ran
    :param show: shows the progress
    :raises InputError: the record names what the run did not create; nothing is removed then
    """
    run_directory.check_id(run)
    spaces = [
        Workspace(attempt.workspace)
        for attempt in run_directory.attempts(run)
        if attempt.was_cut_off and is_workspace(attempt.workspace)
    ]
    logs = [space.log for space in spaces]
    resource_record.check(cloud, run.tenancy, logs, names)
    done = resource_record.remove_recorded(cloud, run.tenancy, logs, show)
    done += empty_projects(cloud, users, names.prefix)
    if not done.leaked:
        for space in spaces:
            workspace.remove(space)
            done += Removal((f"the workspace {space.directory}",))
    return done
