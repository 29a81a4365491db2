"""A headless Chromium, driven over the pipe of its DevTools protocol. Python's library alone."""
import base64
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import time


def program():
    """The browser's path, or None where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path:
            return path
    return None


class Browser:
    def __init__(self, path):
        self.folder = tempfile.mkdtemp(prefix="micius-browser-")
        to_browser, from_browser = os.pipe(), os.pipe()
        # The browser reads at 3 and writes at 4: both ends are moved out of the way of these first.
        reads = fcntl.fcntl(to_browser[0], fcntl.F_DUPFD, 20)
        writes = fcntl.fcntl(from_browser[1], fcntl.F_DUPFD, 20)

        def place():
            os.dup2(reads, 3)
            os.dup2(writes, 4)

        self.process = subprocess.Popen(
            [path, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--hide-scrollbars", "--disable-background-networking", "--disable-extensions",
             "--force-color-profile=srgb", "--remote-debugging-pipe", f"--user-data-dir={self.folder}", "about:blank"],
            pass_fds=(3, 4), preexec_fn=place, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        for end in (reads, writes, to_browser[0], from_browser[1]):
            os.close(end)
        self.out, self.into = to_browser[1], from_browser[0]
        self.buffer, self.messages, self.last = b"", [], 0

    def receive(self):
        while b"\0" not in self.buffer:
            chunk = os.read(self.into, 1 << 20)
            if not chunk:
                raise RuntimeError("the browser has ended")
            self.buffer += chunk
        line, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(line)

    def send(self, method, params=None, session=None):
        self.last += 1
        message = {"id": self.last, "method": method, "params": params or {}}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.out, data):]
        while True:
            answer = self.receive()
            if answer.get("id") == message["id"]:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.messages.append(answer)

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Page:
    """One tab. `errors` are what its console and its network said since it was opened."""

    def __init__(self, browser):
        self.browser = browser
        target = browser.send("Target.createTarget", {"url": "about:blank"})["targetId"]
        self.session = browser.send("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Runtime", "Log", "Page", "Network"):
            self.send(f"{domain}.enable")
        self.size(1280, 900)

    def send(self, method, params=None):
        return self.browser.send(method, params, self.session)

    def size(self, width, height):
        self.send("Emulation.setDeviceMetricsOverride",
                  {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})

    def open(self, url):
        self.send("Page.navigate", {"url": "about:blank"})
        self.send("Page.navigate", {"url": url})
        self.wait("location.protocol === 'file:' && document.readyState === 'complete'")

    def evaluate(self, expression):
        answer = self.send("Runtime.evaluate", {"expression": expression, "returnByValue": True, "awaitPromise": True})
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, expression, seconds=20):
        end = time.monotonic() + seconds
        while not self.evaluate(f"Boolean({expression})"):
            if time.monotonic() > end:
                raise AssertionError(f"never true: {expression}")
            time.sleep(0.01)

    def press(self, key):
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        code = {"Enter": 13, "Escape": 27}.get(key, ord(key[0].upper()) if len(key) == 1 else 0)
        event = {"key": key, "windowsVirtualKeyCode": code}
        self.send("Input.dispatchKeyEvent", {**event, "type": "keyDown", "text": text} if text else
                  {**event, "type": "rawKeyDown"})
        self.send("Input.dispatchKeyEvent", {**event, "type": "keyUp"})

    def type(self, text):
        self.send("Input.insertText", {"text": text})

    def screenshot(self, path, whole=True):
        image = self.send("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": whole, **(
            {"clip": {"x": 0, "y": 0, "scale": 1, "width": self.evaluate("innerWidth"),
                      "height": self.evaluate("document.documentElement.scrollHeight")}} if whole else {})})
        with open(path, "wb") as file:
            file.write(base64.b64decode(image["data"]))

    def errors(self):
        found = []
        for message in self.browser.messages:
            if message.get("sessionId") != self.session:
                continue
            method, params = message["method"], message["params"]
            if method == "Runtime.exceptionThrown":
                found.append(json.dumps(params["exceptionDetails"])[:500])
            elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
                found.append(json.dumps(params["args"])[:500])
            elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
                found.append(params["entry"]["text"])
            elif method == "Network.requestWillBeSent" and params["request"]["url"].startswith("http"):
                found.append(f"asked for {params['request']['url']}")
        return found
