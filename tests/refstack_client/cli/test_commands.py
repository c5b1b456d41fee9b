"""The command line without a cloud: exit codes, sentences, formats."""

import functools
import json
import subprocess
import sys
import threading
import uuid
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from junitparser import JUnitXml

from capabilities import catalogue, programme
from refstack_client.cli.app import main

UUID = "id-11111111-1111-1111-1111-111111111111"


@pytest.fixture
def stream(samples):
    return str(samples / "platform.subunit")


@pytest.mark.parametrize(("programme", "code"), [("storage", 0), ("platform", 3)])
def test_the_exit_code_is_the_verdict(stream, programme, code, capsys):
    assert main(["verdict", stream, "--programme", programme]) == code
    assert capsys.readouterr().out.splitlines()[-1].endswith("required tests")


def test_a_cloud_that_fails_is_exit_code_1(samples, capsys):
    broken = str(samples / "storage-swift-stopped.subunit")
    assert main(["verdict", broken]) == 1
    assert "NOT CONFORMANT  OpenStack Powered Platform  2020.06  25/273" in capsys.readouterr().out


def test_json_is_all_there_is_on_stdout(stream, capsys):
    main(["verdict", stream, "--programme", "storage", "-f", "json"])
    document = json.loads(capsys.readouterr().out)
    assert document["verdict"] == "conformant"
    assert document["required"]["passed"] == 58


def test_a_long_list_of_failures_is_grouped_and_cut(tmp_path, writer, capsys):
    platform = programme.find(catalogue.load("2020.06")[0], "platform")
    volume_tests = [test for test in platform.counted_tests() if ".volume." in test.name]
    for test in volume_tests[:51]:
        error = f"VolumeResourceBuildErrorException: volume {uuid.uuid4()} failed to build and is"
        traceback = f"tempest.lib.exceptions.{error} in ERROR status"
        writer.test(f"{test.name}[{test.idempotent_id}]", "fail", traceback=traceback)
    (tmp_path / "stream").write_bytes(writer.content)
    main(["verdict", str(tmp_path / "stream")])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) < 110
    assert any("more (all in the report" in line for line in lines)
    # Volumes differ by test, what happened to them does not.
    assert (
        "FAIL  51 tests: Cinder (block-storage): volume … failed to build and is in ERROR status"
        in lines
    )


def test_a_report_is_written(stream, tmp_path, capsys):
    page = tmp_path / "page.html"
    assert main(["report", stream, "--programme", "storage", "-o", str(page)]) == 0
    assert "58/58" in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["verdict", "nosuch"], 4, "nosuch: No such file"),
        (["verdict", "{tmp}/text"], 4, "is not a subunit stream"),
        (["verdict", "{tmp}/empty"], 4, "is empty"),
        (["verdict", "{tmp}"], 4, "is not a run"),
        (["verdict", "{tmp}/ok", "--guideline", "1999.01"], 4, "no guideline called 1999.01"),
        (
            ["verdict", "{tmp}/ok", "--guideline", "{tmp}/bad.json"],
            4,
            "bad.json:2:3: not valid JSON",
        ),
        (["verdict", "{tmp}/ok", "--programme", "nosuch"], 4, "no programme called nosuch"),
        (["certify", "--os-cloud", "nosuch"], 5, "no cloud called nosuch"),
        (["certify"], 5, "no cloud is named"),
        (["certify", "--set", "wrong"], 2, "expected section.option=value"),
        (["certify", "--concurrency", "0"], 2, "--concurrency must be at least 1"),
        (["sandbox", "up", "--profile", "nosuch"], 2, "no sandbox profile called nosuch"),
        (["certify", "--sandbox", "nosuch"], 2, "no sandbox profile called nosuch"),
    ],
)
def test_a_mistake_gets_a_sentence_and_its_exit_code(
    arguments, code, message, tmp_path, capsys, writer
):
    (tmp_path / "text").write_text("text")
    (tmp_path / "empty").touch()
    (tmp_path / "bad.json").write_text("{\n  oops\n}")
    (tmp_path / "ok").write_bytes(writer.test(f"m.C.t[{UUID}]", "success").content)
    filled = [each.replace("{tmp}", str(tmp_path)) for each in arguments]
    assert main(filled) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert message in printed.err
    assert "Traceback" not in printed.err


def test_an_unknown_option_is_usage(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["verdict", "--nosuch"])
    assert caught.value.code == 2


@pytest.mark.parametrize("option", ["-c", "--sort-column"])
def test_a_column_that_does_not_exist_is_usage(option, capsys):
    arguments = ["guideline", "list", "-c", "Guideline", option, "nosuch"]
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "there is no column nosuch" in printed.err
    assert "choose from Guideline, Status, Programme" in printed.err
    assert main(["guideline", "list", "-c", "required_tests"]) == 0


def test_no_command_shows_the_help(capsys):
    assert main([]) == 2
    assert "certify" in capsys.readouterr().out


def test_a_bug_is_never_mistaken_for_a_verdict(monkeypatch, capsys, stream):
    monkeypatch.setattr("refstack_client.report.text.lines", lambda *_: 1 / 0)
    assert main(["verdict", stream]) == 5
    message = capsys.readouterr().err
    assert "unexpected ZeroDivisionError" in message
    assert "this is a bug in refstack-client" in message


def test_the_required_tests_are_printed_as_tempest_takes_them(capsys):
    assert main(["guideline", "tests", "2020.06", "--programme", "platform"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(set(lines)) == 273
    assert lines == sorted(lines)
    assert all(line.endswith("]") and "[id-" in line for line in lines)


def test_guidelines_capabilities_and_the_timeline_are_listed(capsys):
    assert main(["guideline", "list", "-f", "csv"]) == 0
    assert '"2020.06","approved","platform",273,11' in capsys.readouterr().out
    assert main(["guideline", "show", "dns.2020.06", "-f", "value", "-c", "Capability"]) == 0
    assert capsys.readouterr().out.split() == ["dns-record-crud", "dns-zone-crud"]
    assert main(["guideline", "show", "2022.11"]) == 0
    assert "reconstructed from the exported test lists" in capsys.readouterr().err
    assert main(["guideline", "timeline", "-f", "csv"]) == 0
    assert '"2022-11-01","2022.11","draft","draft"' in capsys.readouterr().out


def test_an_unknown_type_is_usage(capsys):
    assert main(["guideline", "tests", "2020.06", "--type", "nosuch"]) == 2
    assert "choose from required, advisory" in capsys.readouterr().err


def test_commands_about_guidelines_import_nothing_heavy():
    heavy = ("openstack", "keystoneauth1", "tempest", "stestr", "requests", "rich", "pandas")
    program = (
        "import sys; from refstack_client.cli.app import main; main(['guideline', 'list']); "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_list_of_tests_is_judged_by_its_own_rule(tmp_path, writer, capsys):
    listed = tmp_path / "ours.lst"
    listed.write_text("m.C.one\nm.C.two\n")
    stream = tmp_path / "stream"
    stream.write_bytes(
        writer.test("m.C.one", "success").test("m.C.two", "skip", reason="x").content
    )
    assert main(["verdict", str(stream), "--guideline", str(listed)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        "CONFORMANT  ours  2 tests: 1 passed, 0 failed, 1 skipped"
    )


def test_a_newer_version_of_a_list_has_the_name_of_the_shipped_one(tmp_path, samples, capsys):
    newer = tmp_path / "tempest-tests-non-admin.lst"
    names = [line.partition("[")[0] for line in catalogue.content("scs-0128").decode().split()]
    newer.write_text("\n".join([*names[2:], "tempest.api.volume.test_new.NewTest.test_new"]))
    diff = ["guideline", "diff", "scs-0128", str(newer), "-f", "csv"]
    assert main(diff) == 0
    added = '"tests","test added","tempest.api.volume.test_new.NewTest.test_new"'
    changes = capsys.readouterr().out.splitlines()[1:]
    assert changes == [*(f'"tests","test removed","{name}"' for name in names[:2]), added]

    stream = str(samples / "platform.subunit")
    judge = ["verdict", stream, "--guideline", str(newer), "--programme"]
    assert main([*judge, "SCS-0128", "-f", "json"]) == 3
    verdict = json.loads(capsys.readouterr().out)
    assert (verdict["guideline"], verdict["programme"]) == ("scs-0128", "scs-0128")
    assert verdict["required"]["total"] == 257
    shipped = ["verdict", stream, "--programme", "scs-0128", "-f", "json"]
    assert main(shipped) == 3
    of_shipped = json.loads(capsys.readouterr().out)["required"]["passed"]
    assert verdict["required"]["passed"] in range(of_shipped - 2, of_shipped + 1)
    assert main([*judge, "2020.06"]) == 4
    assert "has no programme called 2020.06" in capsys.readouterr().err


def test_a_test_of_a_list_without_ids_is_known_by_its_name_in_tempest(tmp_path, capsys):
    before, after, tempest = (tmp_path / name for name in ("before", "after", "tempest"))
    before.write_text(f"m.C.old[{UUID}]\nm.C.same\n")
    after.write_text("m.C.new\nm.C.same\n")
    tempest.write_text(f"m.C.new[{UUID},smoke]\n")
    diff = ["guideline", "diff", str(before), str(after), "-f", "csv"]
    assert main(diff) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        '"tests","test removed","m.C.old"',
        '"tests","test added","m.C.new"',
    ]
    assert main([*diff, "--tempest-list", str(tempest)]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        '"tests","test renamed","m.C.old -> m.C.new"'
    ]


def test_findings_are_listed_with_their_clause_and_the_exit_code_tells_of_errors(tmp_path, capsys):
    assert main(["guideline", "check", "2020.06", "-f", "csv"]) == 4
    assert '"admin-required","CoreCriteria Non-Admin"' in capsys.readouterr().out
    assert main(["guideline", "check", "dns.2020.06"]) == 0
    (tmp_path / "bad.json").write_text("{")
    assert main(["guideline", "check", str(tmp_path / "bad.json"), "-f", "csv"]) == 4
    assert '"refused"' in capsys.readouterr().out


def test_drift_and_difference_are_listed(tmp_path, capsys, samples):
    listing = str(samples / "tempest-47.0.0-tests.txt")
    assert main(["guideline", "drift", "--tempest-list", listing, "-f", "csv", "2020.06"]) == 0
    assert '"2020.06",284,11,283,282,282,1,0,1,273,273,0' in capsys.readouterr().out
    assert main(["guideline", "diff", "2018.02", "2018.11", "-f", "csv"]) == 0
    assert '"volumes-v2-get","status","required -> deprecated"' in capsys.readouterr().out


@pytest.mark.cloud
def test_the_installed_tempest_still_has_what_2020_06_requires(capsys):
    assert main(["guideline", "drift", "2020.06", "-f", "csv"]) == 0
    assert '"2020.06",284,11,283,282,282,1,0,1,273,273,0' in capsys.readouterr().out


def test_one_run_is_judged_by_every_guideline(capsys, stream):
    assert main(["verdict", stream, "--guideline", "all", "--programme", "storage"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "CONFORMANT  OpenStack Powered Storage  2020.06  58/58 required tests" in lines
    assert lines[-1].endswith("2022.11  58/63 required tests, 5 short")
    assert main(["verdict", stream, "--guideline", "all", "--programme", "SCS-0128"]) == 3
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("INCOMPLETE  scs-0128  258 tests: ")
    assert "short" not in line
    assert main(["verdict", stream, "--guideline", "all", "-f", "json"]) == 3
    documents = {each["guideline"]: each for each in json.loads(capsys.readouterr().out)}
    assert documents["2018.02"]["required"]["passed"] == 261
    assert documents["scs-0128"]["verdict"] == "incomplete"
    assert main(["verdict", stream, "--guideline", "all", "--programme", "nosuch"]) == 2


def test_a_capability_is_explained_over_all_guidelines(capsys):
    assert main(["capability", "explain", "networks-l3-CRUD"]) == 0
    text = capsys.readouterr().out
    assert "2017.09                 advisory in compute" in text
    assert "2018.02                 required in compute" in text
    assert "is required and needs an admin" in text
    assert main(["capability", "explain", "nosuch"]) == 4
    assert main(["capability", "show", "compute-servers-resize", "-f", "csv"]) == 0
    assert capsys.readouterr().out.count("no code was recorded") == 4
    assert main(["capability", "list", "-f", "csv"]) == 0
    assert '"identity-v2-tokens-create","keystone","2015.07","2016.08"' in capsys.readouterr().out


def test_a_guideline_is_converted(capsys):
    assert main(["guideline", "convert", "2015.03"]) == 0
    assert json.loads(capsys.readouterr().out)["metadata"]["schema"] == "2.0"
    assert main(["guideline", "convert", "scs-0128"]) == 4
    assert "a list of tests has no capabilities" in capsys.readouterr().err


def test_what_is_wrong_with_a_file_that_was_given_is_said_briefly(tmp_path, capsys):
    document = json.loads(catalogue.content("2020.06"))
    for capability in document["capabilities"].values():
        capability["acheivements"] = capability.pop("achievements")
    (tmp_path / "ours.json").write_text(json.dumps(document))
    assert main(["guideline", "tests", str(tmp_path / "ours.json")]) == 0
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 6
    assert 'is read as "achievements"' in said[0]
    assert "more findings" in said[-1]


def test_an_add_on_is_judged_with_what_it_stands_on(capsys, stream):
    assert main(["verdict", stream, "--guideline", "dns.2020.06", "-f", "json"]) == 3
    document = json.loads(capsys.readouterr().out)
    assert document["required"]["total"] == 10
    (base,) = document["bases"]
    assert (base["programme"], base["required"]["passed"]) == ("compute", 215)


def test_a_guideline_is_read_from_an_address(tmp_path, capsys):
    (tmp_path / "2020.06.json").write_bytes(catalogue.content("2020.06"))
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://127.0.0.1:{server.server_port}"
        assert main(["guideline", "tests", f"{address}/2020.06.json"]) == 0
        assert len(capsys.readouterr().out.splitlines()) == 273
        assert main(["guideline", "tests", f"{address}/gone.json"]) == 4
        assert "could not be fetched: 404" in capsys.readouterr().err
    finally:
        server.shutdown()


def test_findings_are_written_for_ci_and_summed_up(tmp_path, capsys):
    report = tmp_path / "junit.xml"
    command = ["guideline", "check", "2020.06", "dns.2020.06", "--junit", str(report)]
    assert main([*command, "--summary", "-f", "csv"]) == 4
    assert '"2020.06",2,19,' in capsys.readouterr().out
    suites = {suite.name: suite for suite in JUnitXml.fromfile(str(report))}
    assert suites["2020.06"].failures == 2
    assert suites["dns.2020.06"].failures == 0


@pytest.mark.parametrize("since", [(), ("--since", "2020.06")])
def test_a_removed_test_of_an_approved_guideline_is_an_error(since, tmp_path, capsys):
    document = json.loads(catalogue.content("2020.06"))
    document["capabilities"]["objectstore-object-create"]["tests"].popitem()
    (tmp_path / "2020.06.json").write_text(json.dumps(document))
    command = ["guideline", "check", str(tmp_path / "2020.06.json"), *since]
    assert main([*command, "-f", "csv"]) == 4
    assert '"tests-not-frozen","2017A D2"' in capsys.readouterr().out


def test_runs_that_gain_or_lose_the_verdict_are_named(capsys, stream):
    command = ["guideline", "diff", "2020.06", "2022.11", "--programme", "storage"]
    assert main([*command, "--results", stream, "-f", "csv"]) == 0
    assert f"{stream}: conformant -> incomplete" in capsys.readouterr().err


def test_the_tests_can_be_printed_as_a_tempest_has_them(capsys, samples):
    listing = samples / "tempest-47.0.0-tests.txt"
    known = set(listing.read_text().split())
    assert main(["guideline", "tests", "2020.06", "--tempest-list", str(listing)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 273
    assert set(lines) <= known


def test_the_gate_for_tempests_names_fails_on_a_rename_and_passes_today(tmp_path, capsys, samples):
    listing = samples / "tempest-47.0.0-tests.txt"
    command = ["guideline", "check", "2020.06", "-f", "csv", "--tempest-list"]
    assert main([*command, str(listing)]) == 0
    assert '"note","vanished"' in capsys.readouterr().out
    renamed = tmp_path / "list"
    renamed.write_text(
        listing.read_text().replace("ObjectTest.test_create_object[", "ObjectTest.x[")
    )
    patch = tmp_path / "patch.json"
    assert main([*command, str(renamed), "--alias-patch", str(patch)]) == 4
    assert '"error","renamed"' in capsys.readouterr().out
    assert any("ObjectTest.x" in each["value"][-1] for each in json.loads(patch.read_text()))
