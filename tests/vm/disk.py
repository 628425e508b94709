"""A disk that remembers what was written to it, and in which order, so that power can be cut at any moment of its life.

The disk is served to QEMU by the NBD protocol (github.com/NetworkBlockDevice/nbd, doc/proto.md) over a unix socket. What a
machine has not flushed may be lost: image(moment) is a disk as it could be found after a cut, with all writes before the last
flush, and of those behind it as many as chance leaves, block by block. Several disks may share one history.
"""
import os
import random
import socket
import struct
import threading

INIT, OPTIONS, REPLY = 0x4E42444D41474943, 0x49484156454F5054, 0x3E889045565A9
REQUEST, SIMPLE_REPLY = 0x25609513, 0x67446698
READ, WRITE, DISC, FLUSH, TRIM, ZEROES = range(6)
EXPORT_NAME, ABORT, INFO, GO = 1, 2, 6, 7
FLAGS = 1 | 1 << 2 | 1 << 3  # has flags, flush, forced unit access
FORCED = 1
BLOCK = 4096


class History:
    """Writes and flushes in their order: (disk, offset, data, forced), a flush with data None."""

    def __init__(self):
        self.events, self.lock = [], threading.Lock()

    def add(self, *event):
        with self.lock:
            self.events.append(event)

    def __len__(self):
        return len(self.events)


class Disk:
    def __init__(self, name, size, path, history, base=None):
        self.name, self.path, self.history = name, path, history
        self.base = bytes(size) if base is None else base
        self.data = bytearray(self.base)
        if os.path.exists(path):
            os.unlink(path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        threading.Thread(target=self.serve, daemon=True).start()

    def drive(self):
        return f"nbd+unix:///?socket={self.path}"

    def close(self):
        self.listener.close()
        os.unlink(self.path)

    def serve(self):
        try:
            connection, _ = self.listener.accept()
            with connection, connection.makefile("rb") as reader:
                if self.greet(connection, reader):
                    while self.answer(connection, reader):
                        pass
        except (OSError, struct.error):
            pass  # the machine was cut

    def greet(self, connection, reader):
        """The newstyle negotiation, without structured replies. True: requests follow."""
        connection.sendall(struct.pack(">QQH", INIT, OPTIONS, 3))
        reader.read(4)
        while True:
            _, option, length = struct.unpack(">QII", reader.read(16))
            reader.read(length)
            if option == EXPORT_NAME:
                connection.sendall(struct.pack(">QH", len(self.data), FLAGS))
                return True
            if option in (GO, INFO):
                self.tell(connection, option, 3, struct.pack(">HQH", 0, len(self.data), FLAGS))
                self.tell(connection, option, 1)
                if option == GO:
                    return True
            else:
                self.tell(connection, option, 1 if option == ABORT else 1 << 31 | 1)

    @staticmethod
    def tell(connection, option, kind, data=b""):
        connection.sendall(struct.pack(">QIII", REPLY, option, kind, len(data)) + data)

    def answer(self, connection, reader):
        """One request. False: the other side has gone."""
        head = reader.read(28)
        if len(head) < 28:
            return False
        _, flags, command, cookie, offset, length = struct.unpack(">IHHQQI", head)
        payload, error = b"", 0
        if command == READ:
            payload = bytes(self.data[offset:offset + length])
        elif command == WRITE:
            data = reader.read(length)
            if len(data) < length:
                return False
            self.data[offset:offset + length] = data
            self.history.add(self.name, offset, data, bool(flags & FORCED))
        elif command == FLUSH:
            self.history.add(self.name, 0, None, False)
        elif command == DISC:
            return False
        else:
            error = 22
        connection.sendall(struct.pack(">IIQ", SIMPLE_REPLY, error, cookie) + payload)
        return True

    def image(self, moment, seed):
        """The disk after a cut before event `moment` of the history."""
        chance = random.Random(seed)
        share = chance.choice((0.0, 0.2, 0.5, 0.9, 1.0))  # of what was not flushed, what had been written
        events = [event for event in self.history.events[:moment] if event[0] == self.name]
        flushed = max((i for i, event in enumerate(events) if event[2] is None), default=-1)
        found = bytearray(self.base)
        for i, (_, offset, data, forced) in enumerate(events):
            if data is None:
                continue
            for start in range(0, len(data), BLOCK):
                if i < flushed or forced or chance.random() < share:
                    block = data[start:start + BLOCK]
                    found[offset + start:offset + start + len(block)] = block
        return found
