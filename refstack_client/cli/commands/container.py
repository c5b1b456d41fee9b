"""``container run|build|save|load|clean``: the certification in a container, from outside of it."""

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from docker.errors import DockerException
from docker.utils import parse_bytes

from capabilities import catalogue
from refstack_client.cli.command import Command, say
from refstack_client.cli.commands.merge import merged
from refstack_client.cli.exit_codes import EXIT_INTERRUPTED, EXIT_OK
from refstack_client.cli.options import cloud as cloud_options
from refstack_client.cli.options import guideline as guideline_options
from refstack_client.cloud import connection as cloud
from refstack_client.container import engine, image, launch, manifests, payload
from refstack_client.container.launch import Box, Ended
from refstack_client.container.payload import PRIVATE, RESULTS, Parcel
from refstack_client.errors import ClientError, MachineError, UsageError
from refstack_client.files import read_bytes
from refstack_client.outcomes import run_directory
from refstack_client.planning import guideline_source
from refstack_client.running import image_provenance, run_recorder

_PROXIES = ("http_proxy", "https_proxy", "no_proxy")
_KILLED = 137
MOST_WORKERS = 4
_ELSEWHERE = {"docker": manifests.docker_commands, "kubernetes": manifests.kubernetes}


def _add_image(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--image",
        metavar="NAME",
        default=image.default_name(),
        help="the image (default: %(default)s)",
    )


class Run(Command):
    """Certify in a container: credentials go in unseen, results come out, nothing stays."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        guideline_options.add_guideline(parser)
        cloud_options.add_cloud(parser)
        cloud_options.add_output(parser)
        cloud_options.add_again(parser)
        _add_image(parser)
        parser.add_argument(
            "--shards",
            metavar="N",
            type=int,
            default=1,
            help="certify in N containers at once, each with a part of the tests",
        )
        parser.add_argument(
            "--print",
            choices=tuple(_ELSEWHERE),
            help="run nothing: print what other machines would run",
        )
        parser.add_argument(
            "--network",
            metavar="NAME",
            help="the engine's network (default: host for a cloud on loopback, else its own)",
        )
        parser.add_argument(
            "--memory",
            metavar="SIZE",
            default="2g",
            help="memory of a container (default: %(default)s)",
        )
        parser.add_argument(
            "--pids",
            metavar="N",
            type=int,
            default=1024,
            help="processes and threads of a container (default: %(default)s)",
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        _check(args)
        if args.print:
            print(_elsewhere(args), end="")
            return EXIT_OK
        common = _parcel(args)
        reached = engine.connect()
        known_as = image.ensure(reached, args.image, say)
        box = _box(args, common)
        parts = _parts(reached, args, common, known_as)
        if args.resume:
            with run_recorder.locked(run_directory.Run(args.resume)):
                return _certify(reached, box, parts, args.resume.resolve().parent)
        return _certify(reached, box, parts, args.output)


def _check(args: Namespace) -> None:
    """Check what can be checked without engine and cloud.

    :raises UsageError: options have impossible values, or do not fit together
    """
    cloud_options.check_again(args)
    if args.shards < 1 or args.pids < 1 or (args.concurrency or 1) < 1:
        raise UsageError("--shards, --pids and --concurrency must be at least 1")
    if args.resume and args.shards > 1:
        raise UsageError(
            "--resume goes on with one run, not with --shards", hint="resume each part by itself"
        )
    try:
        args.memory = parse_bytes(args.memory)
    except DockerException as error:
        raise UsageError(f"--memory {args.memory}: no size", hint="for example 2g") from error
    if args.resume:
        run_directory.read_request(run_directory.Run(args.resume))
    else:
        name = args.guideline or catalogue.default()
        guideline_options.load_programme(name, args.programme)


def _box(args: Namespace, ordered: Parcel) -> Box:
    network = args.network
    if network is None:
        document = yaml.safe_load(ordered.files["clouds.yaml"])
        (config,) = document["clouds"].values()
        host = urlsplit(config.get("auth", {}).get("auth_url", "")).hostname or ""
        network = "host" if host in ("localhost", "::1") or host.startswith("127.") else ""
    return Box(args.image, args.memory, args.pids, network)


def _elsewhere(args: Namespace) -> str:
    hidden = [each for each in (args.accounts, *args.settings) if each]
    if hidden:
        raise UsageError(
            "--print cannot pass --accounts and --set on",
            hint="put them into the command once it is printed, beside what it mounts",
        )
    chosen = {"--os-cloud": args.os_cloud, **_chosen(args)}
    given = [text for option, value in chosen.items() if value for text in (option, str(value))]
    box = Box(args.image, args.memory, args.pids, args.network or "")
    return _ELSEWHERE[args.print](box, ["certify", *given], args.shards)


def _chosen(args: Namespace) -> dict[str, str | int | None]:
    return {
        "--guideline": args.guideline,
        "--programme": args.programme,
        "--concurrency": args.concurrency,
    }


def _parcel(args: Namespace) -> Parcel:
    """Return what every container is given; ``certify``'s arguments among it."""
    resumed = run_directory.Run(args.resume.resolve()) if args.resume else None
    before = run_directory.read_request(resumed)[1] if resumed else {}
    os_cloud = args.os_cloud or before.get("os_cloud")
    name, clouds, named = cloud.portable(os_cloud, str(PRIVATE))
    files = {each: read_bytes(path) for each, path in named.items()}
    files["clouds.yaml"] = yaml.safe_dump(clouds, allow_unicode=True).encode()
    given = ["certify", "--os-cloud", name]
    guideline = args.guideline
    if guideline and guideline not in catalogue.shipped():
        file_name = Path(urlsplit(guideline).path).name
        files[file_name] = guideline_source.content(guideline)
        guideline = f"{PRIVATE}/{file_name}"
    for option, value in {**_chosen(args), "--guideline": guideline}.items():
        given += [option, str(value)] if value else []
    accounts = args.accounts or before.get("accounts")
    if accounts:
        files["accounts.yaml"] = read_bytes(Path(accounts))
        given += ["--accounts", f"{PRIVATE}/accounts.yaml"]
    for setting in args.settings:
        given += ["--set", setting]
    if resumed:
        given += ["--resume", f"{RESULTS}/{resumed.id}", "--retry-budget", str(args.retry_budget)]
        given += ["--rerun-failed"] if args.rerun_failed else []
    environ = {
        name: os.environ[name]
        for each in _PROXIES
        for name in (each, each.upper())
        if name in os.environ
    }
    environ["OS_CLIENT_CONFIG_FILE"] = f"{PRIVATE}/clouds.yaml"
    return Parcel(given, environ, files, resumed)


def _parts(
    reached: engine.Engine, args: Namespace, common: Parcel, known_as: str
) -> dict[str, Parcel]:
    """Return the parcel of each container, by the part's name; "" where there is only one."""
    with engine.explained("say how many processors it has"):
        processors = reached.client.info().get("NCPU") or 1
    workers = max(1, min(MOST_WORKERS, processors // args.shards))
    chosen_within = args.concurrency or args.shards == 1
    more = [] if chosen_within else ["--concurrency", str(workers)]
    environ = {**common.environ, image_provenance.VARIABLE: known_as}

    def part(shard: str) -> Parcel:
        own = ["--shard", shard] if shard else []
        return payload.Parcel(
            [*common.arguments, *more, *own], environ, common.files, common.resumed
        )

    if args.shards == 1:
        return {"": part("")}
    names = (f"{number}/{args.shards}" for number in range(1, args.shards + 1))
    return {name: part(name) for name in names}


def _certify(reached: engine.Engine, box: Box, parts: dict[str, Parcel], output: Path) -> int:
    """Run every part at once; one verdict comes of all."""
    names = {part: launch.new_name() for part in parts}
    shown = str(output).rstrip("/")

    def start(part: str) -> Ended:
        prefix = f"{part} | " if part else ""

        def talk(line: str) -> None:
            # Where things are inside means nothing outside.
            line = line.replace(f"{RESULTS}/", f"{shown}/").replace(f"{PRIVATE}/", "")
            say(prefix + line)

        tell = talk if part else print
        return launch.certify(
            reached, names[part], box, parts[part], talk=(tell, talk), output=output
        )

    interrupted = False
    with ThreadPoolExecutor(len(parts)) as pool:
        futures = {part: pool.submit(start, part) for part in parts}
        try:
            wait(futures.values())
        except KeyboardInterrupt:
            interrupted = True
            say("stopping: what was done is kept")
            _end(reached, list(names.values()), list(futures.values()))
    code = _code(futures, box, output)
    return EXIT_INTERRUPTED if interrupted else code


def _end(reached: engine.Engine, names: Sequence[str], futures: Sequence["Future[Ended]"]) -> None:
    """Have containers end, those too that are only about to start; kill them when they do not."""
    told: set[str] = set()
    for _ in range(launch.SECONDS_TO_END):
        told |= {name for name in names if name not in told and launch.interrupt(reached, name)}
        if not wait(futures, timeout=1).not_done:
            return
    for name in names:
        launch.interrupt(reached, name, "SIGKILL")


def _code(futures: dict[str, "Future[Ended]"], box: Box, output: Path) -> int:
    """Return the exit code of one container, or of the verdict on all parts."""
    if list(futures) == [""]:
        ended = futures[""].result()
        _say_memory(ended, box)
        if ended.exit_code == _KILLED:
            raise _killed(ended)
        return ended.exit_code
    runs: list[run_directory.Run] = []
    for part, future in futures.items():
        try:
            ended = future.result()
        except ClientError as error:
            say(f"shard {part}: {error}")
            continue
        _say_memory(ended, box)
        if ended.exit_code == _KILLED:
            say(f"shard {part}: {_killed(ended)}")
        runs += ended.runs
    planned = [each for each in runs if each.plan.exists()]
    if not planned:
        raise MachineError("no part came to have results", hint="see above why")
    return merged(planned, output)


def _say_memory(ended: Ended, box: Box) -> None:
    if ended.killed_for_memory:
        size = f"{box.memory / (1 << 20):.0f} MB"
        say(f"error: a process was killed, for the container had no more than {size} of memory")
        say("hint:  give it more with --memory")


def _killed(ended: Ended) -> MachineError:
    runs: Sequence[run_directory.Run] = ended.runs
    where = f": refstack-client container run --resume {runs[0].directory}" if runs else ""
    why = "out of memory" if ended.killed_for_memory else "by somebody, or by its machine"
    return MachineError(
        f"the container was killed, {why} (status {_KILLED})",
        hint=f"go on with what was done{where}" if runs else "start again",
    )


class Build(Command):
    """Build the image of this checkout."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        _add_image(parser)
        parser.add_argument(
            "--base", metavar="IMAGE", default=image.BASE, help="default: %(default)s"
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        image.build(engine.connect(), args.image, args.base, say)
        print(args.image)
        return EXIT_OK


class Save(Command):
    """Write image and guidelines to a file, for a place without a registry."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("file", metavar="FILE", type=Path)
        _add_image(parser)
        parser.add_argument(
            "--test-image",
            metavar="FILE",
            type=Path,
            help="a guest image to go with it, for tests that boot servers",
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        reached = engine.connect()
        image.ensure(reached, args.image, say)
        contents = image.save(reached, args.image, args.file, args.test_image)
        say(f"written: {args.file}: {args.image} and {len(contents['files'])} files")
        return EXIT_OK


class Load(Command):
    """Give the image in a file to the engine."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument(
            "--extract",
            metavar="DIRECTORY",
            type=Path,
            help="put the guidelines, and the guest image if there is one, there",
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        contents = image.load(engine.connect(), args.file, args.extract)
        print(contents["image"]["name"])
        if args.extract:
            say(f"written: {len(contents['files'])} files in {args.extract}")
        return EXIT_OK


class Clean(Command):
    """Fetch the results of containers whose launcher died, and remove them."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        cloud_options.add_output(parser)
        parser.add_argument(
            "--image",
            metavar="NAME",
            default="",
            help="what results without a container are read through (default: the image whose "
            "container wrote them)",
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        reached = engine.connect()
        left = launch.strays(reached)
        for stray in left:
            runs = launch.clean(reached, stray, args.image, args.output)
            print(f"removed: {stray.name}")
            for each in runs:
                say(f"its run: {each.directory}")
        if not left:
            say("nothing was left behind")
        return EXIT_OK
