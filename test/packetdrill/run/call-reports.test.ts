/** What is told when a call returns something else, or cannot be made. */
import { expect, test } from "bun:test";
import { accepted, runText } from "./run-text";

type Case = readonly [what: string, events: string, report: string];

const calls: readonly Case[] = [
  [
    "the value",
    `+0 write(4, ..., 100) = 50`,
    `t.pkt:8: write returned 100, should return 50
  expected  +0 write(4, ..., 100) = 50
  actual    +0 write(4, ..., 100) = 100`,
  ],
  [
    "another errno",
    `+0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 read(4, ..., 100) = -1 ECONNRESET`,
    `t.pkt:9: read returned -1 EAGAIN, should return -1 ECONNRESET
  expected  +0 read(4, ..., 100) = -1 ECONNRESET
  actual    +0 read(4, ..., 100) = -1 EAGAIN`,
  ],
  [
    "an error instead of success",
    `+0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 read(4, ..., 100) = 100`,
    `t.pkt:9: read returned -1 EAGAIN, should return 100
  expected  +0 read(4, ..., 100) = 100
  actual    +0 read(4, ..., 100) = -1 EAGAIN`,
  ],
  [
    "success instead of an error",
    `+0 write(4, ..., 100) = -1 EPIPE`,
    `t.pkt:8: write returned 100, should return -1 EPIPE
  expected  +0 write(4, ..., 100) = -1 EPIPE
  actual    +0 write(4, ..., 100) = 100`,
  ],
  [
    "a call that blocks",
    `+0 read(4, ..., 100) = 100`,
    `t.pkt:8: read blocks
  expected  +0 read(4, ..., 100) = 100`,
  ],
  [
    "a blocking call that returns early",
    `+0...0.5 read(4, ..., 100) = 100
+0 < P. 1:101(100) ack 1 win 60000
+0.04 > . 1:1(0) ack 101`,
    `t.pkt:8: the call returned 500 ms too early: expected at 0.6
  expected  +0...0.5 read(4, ..., 100) = 100
  actual    +0...0 read(4, ..., 100) = 100`,
  ],
  [
    "a blocking call that does not return",
    `+0...0.1 read(4, ..., 100) = 100
+0.5 %{ assert True }%`,
    `t.pkt:8: read still blocks
  expected  +0...0.1 read(4, ..., 100) = 100`,
  ],
  [
    "the data",
    `+0 < P. 1:5(4) ack 1 win 60000
+0 read(4, "abcd", 4) = 4`,
    `t.pkt:9: the data are "\\u0000\\u0000\\u0000\\u0000", should be "abcd": byte 0 differs
  expected  +0 read(4, "abcd", 4) = 4`,
  ],
  [
    "revents",
    `+0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLIN}], 1, 0) = 1`,
    `t.pkt:8: revents of descriptor 4 is POLLOUT, should be POLLIN
  expected  +0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLIN}], 1, 0) = 1`,
  ],
  [
    "events of epoll",
    `+0 epoll_create(1) = 5
+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN|EPOLLOUT, fd=4}) = 0
+0 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 0) = 1`,
    `t.pkt:10: events is EPOLLOUT, should be EPOLLIN
  expected  +0 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 0) = 1`,
  ],
  [
    "an option's value",
    `+0 getsockopt(4, SOL_TCP, TCP_NODELAY, [1], [4]) = 0`,
    `t.pkt:8: the value of the option is 0, should be 1
  expected  +0 getsockopt(4, SOL_TCP, TCP_NODELAY, [1], [4]) = 0`,
  ],
  [
    "SO_LINGER",
    `+0 getsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=5}, [8]) = 0`,
    `t.pkt:8: onoff is 0, should be 1
  expected  +0 getsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=5}, [8]) = 0`,
  ],
  [
    "an ioctl's value",
    `+0 ioctl(4, SIOCINQ, [5]) = 0`,
    `t.pkt:8: the value of the request is 0, should be 5
  expected  +0 ioctl(4, SIOCINQ, [5]) = 0`,
  ],
  [
    "the peer's address",
    `+0 < 40000 > 8080 S 0:0(0) win 60000 <mss 1000>
+0 > 8080 > 40000 S. 0:0(0) ack 1 <mss 1460>
+0 < 40000 > 8080 . 1:1(0) ack 1 win 60000
+0 accept(3, {sa_family=AF_INET, sin_port=htons(1), sin_addr=inet_addr("192.0.2.1")}, [16]) = 5`,
    `t.pkt:11: the port is 40000, should be 1
  expected  +0 accept(3, {sa_family=AF_INET, sin_port=htons(1), sin_addr=inet_addr("192.0.2.1")}, [16]) = 5`,
  ],
  [
    "a descriptor that was never made",
    `+0 write(7, ..., 100) = 100`,
    `t.pkt:8: write returned -1 EBADF, should return 100
  expected  +0 write(7, ..., 100) = 100
  actual    +0 write(7, ..., 100) = -1 EBADF`,
  ],
  [
    "code",
    `+0 %{ assert tcpi_snd_cwnd == 11, "cwnd" }%`,
    `t.pkt:8:14: tcpi_snd_cwnd == 11 is false: tcpi_snd_cwnd is 10: cwnd
  +0 %{ assert tcpi_snd_cwnd == 11, "cwnd" }%
               ^`,
  ],
];

const unsupported: readonly Case[] = [
  [
    "an option",
    `+0 setsockopt(4, SOL_TCP, TCP_MD5SIG, [5], 4) = 0`,
    `t.pkt:8: setsockopt of option 14 at level 6 is not supported by this stack
  +0 setsockopt(4, SOL_TCP, TCP_MD5SIG, [5], 4) = 0`,
  ],
  [
    "a setting after the start",
    `+0 \`sysctl -q demibun.connections=64\``,
    `t.pkt:8: connections of this stack can only be set before time zero
  +0 \`sysctl -q demibun.connections=64\``,
  ],
  [
    "a command",
    `+0 \`ls -la\``,
    `t.pkt:8: the command "ls -la" has no shell to run in
  +0 \`ls -la\``,
  ],
  [
    "a flag of a call",
    `+0 recv(4, ..., 10, MSG_PEEK) = 10`,
    `t.pkt:8: flags 0x2 of recv are not supported by this stack
  +0 recv(4, ..., 10, MSG_PEEK) = 10`,
  ],
];

for (const [what, events, report] of calls) {
  test(what, async () => {
    const result = await runText(`${accepted}${events}\n`);
    expect(result.message).toBe(report);
    expect(result.status).toBe("failed");
  });
}

for (const [what, events, report] of unsupported) {
  test(what, async () => {
    const result = await runText(`${accepted}${events}\n`);
    expect(result.message).toBe(report);
    expect(result.status).toBe("unsupported");
  });
}
