"""A model service that takes no key, and repeats it in all that it says of that."""

from tests.standins.http_server import Request
from tests.standins.model_server import ModelServer
from tests.standins.reply import Reply

KEY_HEADERS = ("authorization", "x-api-key", "x-goog-api-key")


class Telltale(ModelServer):
    """Lists its models for any key; everything else is 401 with the key in head and body."""

    def reply(self, request: Request) -> Reply:
        """The refusal, in the words of many services."""
        if self.kind(request) == "models":
            return super().reply(request)
        key = next((request.headers[name] for name in KEY_HEADERS if name in request.headers), "")
        problem = {"message": f"Incorrect API key provided: {key}", "type": key, "code": key}
        reply = Reply.json({"error": problem, "detail": key}, 401)
        reply.headers["x-refused"] = key
        return reply
