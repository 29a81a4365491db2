#!/usr/bin/env python3
"""The smallest server of OpenAI's chat API: answers "A" at once and counts. Prints its port; ends with its stdin."""
import asyncio
import json
import sys
import time

ANSWER = json.dumps({
    "id": "x", "object": "chat.completion", "created": 1, "model": "mock",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "A"}}],
    "usage": {"prompt_tokens": 20, "completion_tokens": 1, "total_tokens": 21},
}).encode()
HEAD = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


class Counts:
    requests, first, last = 0, 0.0, 0.0

    def count(self) -> None:
        self.last = time.perf_counter()
        self.first = self.first if self.requests else self.last
        self.requests += 1

    def take(self) -> dict[str, float]:
        """What was counted since the last time."""
        taken = {"requests": self.requests, "seconds": self.last - self.first}
        self.requests = 0
        return taken


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, counts: Counts) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            at = head.find(b"content-length:")
            if at >= 0:
                await reader.readexactly(int(head[at + 15:head.index(b"\r\n", at)]))
            status, body = b"200 OK", ANSWER
            if head.startswith(b"post"):
                counts.count()
            elif head.startswith(b"get /counts"):
                body = json.dumps(counts.take()).encode()
            else:
                status, body = b"404 Not Found", b"{}"
            writer.write(HEAD % (status, len(body)) + body)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main() -> None:
    counts = Counts()
    server = await asyncio.start_server(lambda r, w: serve(r, w, counts), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
