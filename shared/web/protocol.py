"""Bytes that are no HTTP get a problem like everything else that is refused."""

from secrets import token_hex

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.web.problems import Problem, response


class Protocol(HttpToolsProtocol):
    """uvicorn's own, but for what it says when it cannot read a request."""

    def send_400_response(self, msg: str) -> None:
        """Answers and closes: where the next request begins nobody knows."""
        answer = response(Problem("bad-request"), trace_id=token_hex(16))
        head = [b"HTTP/1.1 400 Bad Request", *(name + b": " + value for name, value in answer.raw_headers), b"connection: close"]
        self.transport.write(b"\r\n".join([*head, b"", bytes(answer.body)]))
        self.transport.close()
