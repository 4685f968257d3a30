"""The page as an ASGI application without a framework, for uvicorn as a contestant."""

PAGE = b"<h1>Hello, world!</h1>\n<p>This is the index page.</p>\n"

HEAD = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", b"%d" % len(PAGE))],
}
BODY = {"type": "http.response.body", "body": PAGE}


async def app(scope, receive, send):
    await send(HEAD)
    await send(BODY)
