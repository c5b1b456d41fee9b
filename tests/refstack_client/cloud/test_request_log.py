"""The record of requests that name a text."""

import pytest
import requests

from refstack_client.cloud.request_log import RequestLog


def response(url: str, body: object = None, **headers: str) -> requests.Response:
    found = requests.Response()
    found.status_code = 201
    found.request = requests.Request("PUT", url, data=body).prepare()
    found.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return found


def test_only_requests_that_name_the_text_are_recorded_and_no_secret():
    log = RequestLog()
    log.note(response("http://c/v3/m-1"))
    log.text = "m-1"
    log.note(response("http://c/v3/other"))
    log.note(
        response(
            "http://c/v1/m-1?temp_url_sig=c4nary",
            Date="Fri, 27 Nov 2026 12:24:24 GMT",
            X_Trans_Id="tx1",
        )
    )
    log.note(response("http://c/v3/users", '{"name": "m-1", "password": "c4nary"}'))
    log.note(response("http://c/v3/users", b"m-1", x_openstack_request_id="req-1", X_Trans_Id="t"))
    log.text = ""
    log.note(response("http://c/v3/m-1"))
    assert log.entries == [
        {
            "method": "PUT",
            "url": "http://c/v1/m-1",
            "status": 201,
            "request_id": "tx1",
            "date": "2026-11-27T12:24:24+00:00",
        },
        *(
            {
                "method": "PUT",
                "url": "http://c/v3/users",
                "status": 201,
                "request_id": identifier,
                "date": "",
            }
            for identifier in ("", "req-1")
        ),
    ]


@pytest.mark.parametrize("date", ["", "yesterday", ":", "Sat, 31 Jan 99999999 00:00:00 GMT"])
def test_a_date_that_is_not_valid_is_left_out(date):
    log = RequestLog("m-1")
    log.note(response("http://c/m-1", Date=date))
    assert log.entries[0]["date"] == ""
