"""Both ends of gRPC for tests, without generated code: a server, and clients through a proxy.

Called with a folder that holds ca.pem, cert.pem and key.pem. Prints "port N" twice (plain, TLS), reads
the proxy's addresses (host:port, plain and TLS) from standard input, prints one line per case: "ok NAME"
or "failed NAME: WHY". Services of the server: test.NAME with the methods below; what the
proxy does with each NAME is the test's configuration.
"""
import pathlib
import sys
import threading
import time
from concurrent import futures

import grpc

import peer

LIMITS = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.enable_http_proxy", 0),
]
counts = {}
called = threading.Event()
cancelled = threading.Event()
sick = threading.Event()
flooded = [0]
DETAILS = b"\x08\x0e\x12\x03why"  # google.rpc.Status
secure = {}  # "address" and "ca" of the proxy's TLS listener.


def echo(request, context):
    context.send_initial_metadata((("x-first", "one"),))
    context.set_trailing_metadata((("x-last", "two"), ("x-raw-bin", b"\x00\xff")))
    return request


def collect(requests, context):
    return b"".join(requests)


def count(request, context):
    for number in range(int(request)):
        yield str(number).encode()


def converse(requests, context):
    for request in requests:
        yield request.upper()


def fail(request, context):
    code = {status.value[0]: status for status in grpc.StatusCode}[int(request)]
    context.set_trailing_metadata((("x-why", "tested"), ("grpc-status-details-bin", DETAILS)))
    context.abort(code, "50% of it: \u00e9")


def fail_once(request, context):
    counts[request] = counts.get(request, 0) + 1
    if counts[request] == 1:
        context.abort(grpc.StatusCode.UNAVAILABLE, "not yet")
    return str(counts[request]).encode()


def time_left(request, context):
    left = context.time_remaining()
    return b"none" if left is None or left > 1e6 else str(left).encode()


def wait(request, context):
    context.add_callback(cancelled.set)
    called.set()
    cancelled.wait(10)
    return b"late"


def drip(request, context):
    gone = threading.Event()
    context.add_callback(gone.set)
    for number in range(1000):
        yield str(number).encode()
        if number >= 1:
            gone.wait(10)
            return


def flood(request, context):
    flooded[0] = 0
    context.add_callback(cancelled.set)
    for _ in range(1000):
        flooded[0] += 1
        yield bytes(1 << 16)


def check_health(request, context):
    return b"\x08\x02" if sick.is_set() else b"\x08\x01"  # NOT_SERVING, SERVING


METHODS = {
    "Echo": grpc.unary_unary_rpc_method_handler(echo),
    "Collect": grpc.stream_unary_rpc_method_handler(collect),
    "Count": grpc.unary_stream_rpc_method_handler(count),
    "Converse": grpc.stream_stream_rpc_method_handler(converse),
    "Fail": grpc.unary_unary_rpc_method_handler(fail),
    "FailOnce": grpc.unary_unary_rpc_method_handler(fail_once),
    "TimeLeft": grpc.unary_unary_rpc_method_handler(time_left),
    "Wait": grpc.unary_unary_rpc_method_handler(wait),
    "Flood": grpc.unary_stream_rpc_method_handler(flood),
    "Drip": grpc.unary_stream_rpc_method_handler(drip),
    "Check": grpc.unary_unary_rpc_method_handler(check_health),
}


class Methods(grpc.GenericRpcHandler):
    def service(self, details):
        return METHODS.get(details.method.rsplit("/", 1)[1])


def status_of(call):
    try:
        call()
        return grpc.StatusCode.OK, ""
    except grpc.RpcError as error:
        return error.code(), error.details()


def makes_unary_calls(channel):
    answer, call = channel.unary_unary("/test.Plain/Echo").with_call(b"hello")
    assert answer == b"hello"
    assert dict(call.initial_metadata())["x-first"] == "one"
    last = dict(call.trailing_metadata())
    assert last["x-last"] == "two" and last["x-raw-bin"] == b"\x00\xff", last


def sends_empty_and_big_messages(channel):
    unary = channel.unary_unary("/test.Plain/Echo")
    assert unary(b"") == b""
    big = bytes(range(256)) * (4 << 12)  # 4 MiB
    assert unary(big) == big


def streams_requests(channel):
    parts = [str(number).encode() * 1000 for number in range(200)]
    assert channel.stream_unary("/test.Plain/Collect")(iter(parts)) == b"".join(parts)


def streams_answers(channel):
    answers = list(channel.unary_stream("/test.Plain/Count")(b"500"))
    assert answers == [str(number).encode() for number in range(500)]


def streams_both_ways(channel):
    turn = threading.Semaphore(1)

    def requests():
        for number in range(20):  # Each waits for the answer to the one before.
            assert turn.acquire(timeout=10)
            yield f"word {number}".encode()

    answers = []
    for answer in channel.stream_stream("/test.Plain/Converse")(requests()):
        answers.append(answer)
        turn.release()
    assert answers == [f"WORD {number}".encode() for number in range(20)], answers


def passes_errors_of_the_service(channel):
    for code in grpc.StatusCode:
        if code is grpc.StatusCode.OK:
            continue
        try:
            channel.unary_unary("/test.Plain/Fail")(str(code.value[0]).encode())
            raise AssertionError("no error")
        except grpc.RpcError as error:
            assert error.code() is code, error.code()
            assert error.details() == "50% of it: \u00e9", error.details()
            last = dict(error.trailing_metadata())
            assert last["x-why"] == "tested" and last["grpc-status-details-bin"] == DETAILS, last


def passes_on_what_is_left_of_a_deadline(channel):
    left = float(channel.unary_unary("/test.Plain/TimeLeft")(b"", timeout=30))
    assert 25 < left < 31, left  # The client rounds up.
    assert channel.unary_unary("/test.Plain/TimeLeft")(b"") == b"none"


def caps_deadlines_by_its_own(channel):
    left = float(channel.unary_unary("/test.Hasty/TimeLeft")(b"", timeout=30))
    assert 0 < left <= 0.5, left
    left = float(channel.unary_unary("/test.Hasty/TimeLeft")(b""))
    assert 0 < left <= 0.5, left


def tells_a_deadline_of_the_caller(channel):
    cancelled.clear()
    code, _ = status_of(lambda: channel.unary_unary("/test.Plain/Wait")(b"", timeout=0.3))
    assert code is grpc.StatusCode.DEADLINE_EXCEEDED, code
    assert cancelled.wait(5), "the service was not told"


def tells_its_own_deadline(channel):
    cancelled.clear()
    code, text = status_of(lambda: channel.unary_unary("/test.Hasty/Wait")(b""))
    assert code is grpc.StatusCode.DEADLINE_EXCEEDED, code
    # The service knows the same deadline, and now and then it is the first to say so.
    assert text in ("The upstream server is timing out", "Deadline Exceeded"), text
    assert cancelled.wait(5), "the service was not told"


def tells_its_own_deadline_within_a_stream(channel):
    answers = []

    def read():
        for answer in channel.unary_stream("/test.Hasty/Drip")(b""):
            answers.append(answer)

    code, text = status_of(read)
    assert code is grpc.StatusCode.DEADLINE_EXCEEDED, (code, text)
    assert answers == [b"0", b"1"], answers


def passes_cancellation_on(channel):
    called.clear()
    cancelled.clear()
    call = channel.unary_unary("/test.Plain/Wait").future(b"")
    assert called.wait(5), "the service was not called"
    call.cancel()
    assert cancelled.wait(5), "the service was not told"


def answers_calls_without_a_route(channel):
    code, text = status_of(lambda: channel.unary_unary("/nobody.Knows/It")(b""))
    assert code is grpc.StatusCode.NOT_FOUND, code
    assert text == "no Route matched with those values", text


def answers_for_a_service_that_is_down(channel):
    code, _ = status_of(lambda: channel.unary_unary("/test.Down/Echo")(b""))
    assert code is grpc.StatusCode.UNAVAILABLE, code


def answers_when_too_many_call(channel):
    call = channel.unary_unary("/test.Limited/Echo")
    assert call(b"first") == b"first"
    code, text = status_of(lambda: call(b"second"))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED, code
    assert text == "API rate limit exceeded", text


def repeats_what_the_policy_names(channel):
    assert channel.unary_unary("/test.Repeated/FailOnce")(b"key") == b"2"
    code, _ = status_of(lambda: channel.unary_unary("/test.Plain/FailOnce")(b"other key"))
    assert code is grpc.StatusCode.UNAVAILABLE, code


def checks_health(channel):
    assert channel.unary_unary("/grpc.health.v1.Health/Check")(b"") == b"\x08\x01"


def wait_until(condition):
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def is_taken_out_by_health_checks(channel):
    def is_said(code):
        call = channel.unary_unary("/test.Checked/Echo")
        return status_of(lambda: call(b"", timeout=5))[0] is code

    wait_until(lambda: is_said(grpc.StatusCode.OK))
    sick.set()
    wait_until(lambda: is_said(grpc.StatusCode.UNAVAILABLE))
    sick.clear()
    wait_until(lambda: is_said(grpc.StatusCode.OK))


def holds_a_service_up_for_a_slow_reader(channel):
    cancelled.clear()
    call = channel.unary_stream("/test.Plain/Flood")(b"")
    assert len(next(call)) == 1 << 16
    seen = [-1]

    def is_still():
        last, seen[0] = seen[0], flooded[0]
        time.sleep(0.1)
        return last == flooded[0]

    wait_until(is_still)
    assert flooded[0] < 500, flooded[0]  # What windows and sockets hold, not all of it.
    call.cancel()
    assert cancelled.wait(5), "the service was not told"


def speaks_tls_on_both_sides(channel):
    credentials = grpc.ssl_channel_credentials(secure["ca"])
    with grpc.secure_channel(secure["address"], credentials, options=LIMITS) as private:
        assert private.unary_unary("/test.Secure/Echo")(b"hush") == b"hush"
        big = bytes(range(256)) * (4 << 12)
        assert private.unary_unary("/test.Secure/Echo")(big) == big
    code, text = status_of(lambda: channel.unary_unary("/test.Secure/Echo")(b""))
    assert code is grpc.StatusCode.CANCELLED, (code, text)


def makes_many_calls_at_once(channel):
    unary = channel.unary_unary("/test.Plain/Echo")
    calls = [unary.future(str(number).encode() * 100) for number in range(200)]
    for number, call in enumerate(calls):
        assert call.result(timeout=20) == str(number).encode() * 100


CASES = [
    makes_unary_calls,
    sends_empty_and_big_messages,
    streams_requests,
    streams_answers,
    streams_both_ways,
    passes_errors_of_the_service,
    passes_on_what_is_left_of_a_deadline,
    caps_deadlines_by_its_own,
    tells_a_deadline_of_the_caller,
    tells_its_own_deadline,
    tells_its_own_deadline_within_a_stream,
    passes_cancellation_on,
    answers_calls_without_a_route,
    answers_for_a_service_that_is_down,
    answers_when_too_many_call,
    repeats_what_the_policy_names,
    checks_health,
    is_taken_out_by_health_checks,
    holds_a_service_up_for_a_slow_reader,
    speaks_tls_on_both_sides,
    makes_many_calls_at_once,
]


def main():
    peer.end_with_parent()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=LIMITS)
    server.add_generic_rpc_handlers((Methods(),))
    port = server.add_insecure_port("127.0.0.1:0")
    folder = pathlib.Path(sys.argv[1])
    secure["ca"] = (folder / "ca.pem").read_bytes()
    pair = [(folder / name).read_bytes() for name in ("key.pem", "cert.pem")]
    private = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    server.start()
    print("port", port, flush=True)
    print("port", private, flush=True)
    proxy, secure["address"] = sys.stdin.readline().split()
    with grpc.insecure_channel(proxy, options=LIMITS) as channel:
        for case in CASES:
            try:
                with peer.deadline(case.__name__):
                    case(channel)
                print("ok", case.__name__, flush=True)
            except Exception as error:  # Whatever it was, the test shall say it.
                print(f"failed {case.__name__}: {type(error).__name__} {str(error)!r}", flush=True)
    server.stop(0)


main()
