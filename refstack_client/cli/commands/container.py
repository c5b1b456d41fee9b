"""``container run|build|save|load|clean``: certify in a container, from outside of it."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from capabilities import catalogue
from refstack_client.cli.command import Command, say
from refstack_client.cli.commands.merge import merged
from refstack_client.cli.exit_codes import EXIT_INTERRUPTED, EXIT_OK
from refstack_client.cli.options import challenge as challenge_options
from refstack_client.cli.options import cloud as cloud_options
from refstack_client.cli.options import guideline as guideline_options
from refstack_client.container import engine, image, manifests, orchestrate, orphans, payload_of
from refstack_client.container.launch import ContainerLimits, ContainerResult
from refstack_client.container.orchestrate import Finished, Job
from refstack_client.container.payload_of import Certification
from refstack_client.errors import UsageError
from refstack_client.outcomes import run_directory
from refstack_client.running import run_recorder

_MANIFESTS: Mapping[str, Callable[[ContainerLimits, Sequence[str], int], str]] = {
    "docker": manifests.docker_commands,
    "kubernetes": manifests.kubernetes,
}


def _add_image(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--image",
        metavar="NAME",
        default=image.default_name(),
        help="name of the image (default: %(default)s)",
    )


class Run(Command):
    """Certify a cloud in a container, which is removed afterwards.

    The engine does not see the credentials. Results are written to --output.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        guideline_options.add_guideline(parser)
        cloud_options.add_cloud(parser)
        cloud_options.add_output(parser)
        cloud_options.add_again(parser)
        challenge_options.add_challenge(parser)
        _add_image(parser)
        parser.add_argument(
            "--shards",
            metavar="N",
            type=int,
            default=1,
            help="number of containers to run at the same time, each with a part of the tests "
            "(default: %(default)s)",
        )
        parser.add_argument(
            "--print",
            choices=tuple(_MANIFESTS),
            help="run nothing: print docker commands or a Kubernetes job for other machines",
        )
        parser.add_argument(
            "--network",
            metavar="NAME",
            help="network of the engine (default: host for a cloud on loopback, else the engine's)",
        )
        parser.add_argument(
            "--memory",
            metavar="SIZE",
            default="2g",
            help="memory limit of a container, such as 512m or 2g (default: %(default)s)",
        )
        parser.add_argument(
            "--pids",
            metavar="N",
            type=int,
            default=1024,
            help="limit of processes and threads of a container (default: %(default)s)",
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        """Run the containers; the exit code is that of the certification."""
        memory = _check(args)
        asked = _certification(args)
        if args.print:
            print(_manifest(args, asked, memory), end="")
            return EXIT_OK
        common = payload_of.payload_of(asked)
        reached = engine.connect()
        image_id = image.ensure(reached, args.image, say)
        network = payload_of.network_of(common) if args.network is None else args.network
        limits = ContainerLimits(args.image, memory, args.pids, network)
        payloads = orchestrate.parts(reached, common, args.shards, image_id)
        if not args.resume:
            return _run(Job(reached, limits, payloads, args.output))
        with run_recorder.locked(run_directory.Run(args.resume)):
            return _run(Job(reached, limits, payloads, args.resume.resolve().parent))


def _check(args: Namespace) -> int:
    """Check what needs neither engine nor cloud; return the memory of a container in bytes.

    :raises UsageError: options have impossible values, or do not fit together
    """
    cloud_options.check_again(args)
    if args.shards < 1 or args.pids < 1 or (args.concurrency or 1) < 1:
        raise UsageError("--shards, --pids and --concurrency must be at least 1")
    if args.resume and args.shards > 1:
        raise UsageError(
            "--resume takes one run and cannot be used with --shards",
            hint="resume the run of each part separately",
        )
    if args.resume:
        run_directory.read_request(run_directory.Run(args.resume))
    else:
        name = args.guideline or catalogue.default(args.programme)
        guideline_options.load_programme(name, args.programme)
    return engine.parse_size(args.memory, "--memory")


def _certification(args: Namespace) -> Certification:
    return Certification(
        guideline=args.guideline,
        programme=args.programme,
        concurrency=args.concurrency,
        cloud=cloud_options.selection(args, args.os_cloud),
        accounts=args.accounts,
        settings=cloud_options.settings(args),
        challenge=challenge_options.read_to_answer(args),
        resume=args.resume,
        rerun_failed=args.rerun_failed,
        retry_budget=args.retry_budget,
    )


def _manifest(args: Namespace, asked: Certification, memory: int) -> str:
    if asked.accounts or asked.settings or asked.challenge:
        raise UsageError(
            "--print cannot be used with --accounts, --challenge or --set",
            hint="add them to the printed command, with a mount for a file that they name",
        )
    limits = ContainerLimits(args.image, memory, args.pids, args.network or "")
    cloud = ["--os-cloud", asked.cloud.name] if asked.cloud.name else []
    options = payload_of.certify_options(asked, asked.guideline)
    return _MANIFESTS[args.print](limits, ["certify", *cloud, *options], args.shards)


def _run(job: Job) -> int:
    """Run every part; return the exit code of the only one, or of the verdict on all."""
    finished = orchestrate.run(job, print, say)
    _say_problems(finished, job.limits)
    if len(job.payloads) == 1:
        code = finished.only().exit_code
    else:
        code = merged(finished.planned_runs(), job.output)
    return EXIT_INTERRUPTED if finished.interrupted else code


def _say_problems(finished: Finished, limits: ContainerLimits) -> None:
    """Report what ran out of memory, and which of several parts failed."""
    for part, result in finished.results.items():
        if isinstance(result, ContainerResult):
            if result.out_of_memory:
                size = f"{limits.memory / (1 << 20):.0f} MB"
                say(f"error: a process was killed: the container's memory is limited to {size}")
                say("hint:  raise the limit with --memory")
            if part and result.was_killed:
                say(f"shard {part}: {orchestrate.killed(result)}")
        elif part:
            say(f"shard {part}: {result}")


class Build(Command):
    """Build the image from this checkout."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        _add_image(parser)
        parser.add_argument(
            "--base", metavar="IMAGE", default=image.BASE, help="base image (default: %(default)s)"
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        """Build the image and print its name."""
        image.build(engine.connect(), args.image, args.base, say)
        print(args.image)
        return EXIT_OK


class Save(Command):
    """Write the image and the guidelines to a file, for use without a registry."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("file", metavar="FILE", type=Path, help="file to write; must not exist")
        _add_image(parser)
        parser.add_argument(
            "--test-image",
            metavar="FILE",
            type=Path,
            help="guest image to add, for tests that boot servers",
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        """Write the file."""
        reached = engine.connect()
        image.ensure(reached, args.image, say)
        saved = image.save(reached, args.image, args.file, args.test_image)
        say(f"written: {args.file}: {args.image} and {len(saved.files)} files")
        return EXIT_OK


class Load(Command):
    """Load the image from a file into the engine."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "file", metavar="FILE", type=Path, help="file that container save wrote"
        )
        parser.add_argument(
            "--extract",
            metavar="DIRECTORY",
            type=Path,
            help="also write the guidelines and the guest image, if any, to this directory",
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        """Load the image and print its name."""
        saved = image.load(engine.connect(), args.file, args.extract)
        print(saved.name)
        if args.extract:
            say(f"written: {len(saved.files)} files in {args.extract}")
        return EXIT_OK


class Clean(Command):
    """Fetch the results of orphaned containers, whose launcher died, and remove them."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        cloud_options.add_output(parser)
        parser.add_argument(
            "--image",
            metavar="NAME",
            default="",
            help="image to read a volume with that has no container (default: the image of the "
            "container that wrote it)",
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        """Fetch results and remove the containers."""
        reached = engine.connect()
        found = orphans.orphans(reached)
        for orphan in found:
            runs = orphans.remove(reached, orphan, args.image, args.output)
            print(f"removed: {orphan.name}")
            for run in runs:
                say(f"run:     {run.directory}")
        if not found:
            say("no orphaned containers")
        return EXIT_OK
