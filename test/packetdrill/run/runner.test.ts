/** What a run does beside comparing: options, commands, blocking calls, conversations, the end. */
import { describe, expect, test } from "bun:test";
import { runScript } from "../../../src/packetdrill/run/run";
import { StackTarget } from "../../../src/packetdrill/targets/stack";
import { stackModule } from "../../../src/wasm/module";
import { accepted, runText } from "./run-text";

async function passes(text: string): Promise<void> {
  const { message, status } = await runText(text);
  expect(message).toBeUndefined();
  expect(status).toBe("passed");
}

const socket = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n";
const listening = `${socket}+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0\n`;

describe("options", () => {
  test("an MTU makes the MSS", () =>
    passes(`--mtu=1000\n${listening}+0 < S 0:0(0) win 1000\n+0 > S. 0:0(0) ack 1 <mss 960>\n`));

  test("addresses and ports are the script's", () =>
    passes(`--local_ip=10.1.0.1
--remote_ip=10.1.0.9
--gateway_ip=10.1.0.2
--netmask_ip=255.255.255.0
--bind_port=99
${socket}+0 bind(3, {sa_family=AF_INET, sin_port=htons(99), sin_addr=inet_addr("10.1.0.1")}, ...) = 0
+0 listen(3, 1) = 0
+0 < 5000 > 99 S 0:0(0) win 1000
+0 > 99 > 5000 S. 0:0(0) ack 1 <mss 1460>
+0 < 5000 > 99 . 1:1(0) ack 1 win 1000
+0 accept(3, {sa_family=AF_INET, sin_port=htons(5000), sin_addr=inet_addr("10.1.0.9")}, ...) = 4
`));

  test("a tolerance lets a packet be late", () =>
    passes(
      `--tolerance_usecs=50000\n${accepted}+0 < P. 1:101(100) ack 1 win 1000\n+0 > . 1:1(0) ack 101\n`,
    ));

  test("a tolerance in percent is of the time since the event before", () =>
    passes(
      `--tolerance_percent=50\n${accepted}+0 < P. 1:101(100) ack 1 win 1000\n+0.03 > . 1:1(0) ack 101\n`,
    ));

  test("what is not fatal is told and goes on", async () => {
    const result = await runText(`--non_fatal=syscall\n${socket}+0 close(3) = 7\n`);
    expect(result.status).toBe("passed");
    expect(result.notes).toEqual(["line 3: close returned 0, should return 7 (non-fatal)"]);
  });

  test("an option that does not exist names the one that was meant", async () => {
    const { message } = await runText(`--tolerance_usec=5\n${socket}`);
    expect(message).toBe(
      [
        "t.pkt:1:1: there is no option --tolerance_usec; did you mean --tolerance_usecs?",
        "  --tolerance_usec=5",
        "  ^",
      ].join("\n"),
    );
  });

  test("a second machine is not supported", async () => {
    const { status } = await runText(`--wire_client\n${socket}`);
    expect(status).toBe("unsupported");
  });

  test("IPv6 is not supported by the stack, not failed", async () => {
    const result = await runText(`--ip_version=ipv6\n${socket}`);
    expect(result.status).toBe("unsupported");
    expect(result.message).toBe("t.pkt: this stack has no IPv6 yet");
  });
});

describe("commands", () => {
  test("sysctls before time zero set the stack", () =>
    passes(`\`sysctl -q net.ipv4.tcp_rmem="4096 16384 32768"
     echo 1000000 > /proc/sys/net/ipv4/tcp_rto_min_us; tc qdisc show > /dev/null\`
${accepted.replace("ack 1 <mss", "ack 1 win 8192 <mss")}+0 write(4, ..., 10) = 10
+0 > P. 1:11(10) ack 1
+1.1 > P. 1:11(10) ack 1
`));

  test("the stack's own options have their own names", () =>
    passes(`\`sysctl demibun.delayedAckUs=100000\`
${accepted}+0 < P. 1:101(100) ack 1 win 1000
+0.1 > . 1:1(0) ack 101
`));

  test("a setting the stack does not have is told", async () => {
    const { status, message } = await runText(
      `\`sysctl -q net.ipv4.tcp_window_scaling=0\`\n${socket}`,
    );
    expect(status).toBe("unsupported");
    expect(message).toBe(
      "t.pkt: net.ipv4.tcp_window_scaling = 0 is not supported by this stack, which has 1",
    );
  });

  test("a cleanup command that fails is a note", async () => {
    const { status, notes } = await runText(`${socket}\`reboot\`\n`);
    expect(status).toBe("passed");
    expect(notes).toEqual([
      'the cleanup command failed: the command "reboot" has no shell to run in',
    ]);
  });
});

describe("as the original has it", () => {
  const surplus = `${accepted}+0 write(4, ..., 100) = 100\n`;
  const readFile = (path: string) => {
    return path === "../set.sh" ? "#!/bin/sh\nsysctl -q net.ipv4.tcp_sack=0" : undefined;
  };
  const original = (text: string, isStrict?: boolean) =>
    runScript({ file: "t.pkt", text, isStrict, readFile }, (options) => {
      return new StackTarget(stackModule(), "linux", options, readFile);
    });

  test("a script that runs a file of settings may end before its connection does", async () => {
    expect((await original(surplus)).status).toBe("failed");
    expect((await original(`\`../set.sh\`\n${surplus}`)).status).toBe("passed");
  });

  test("packets after the last event are not looked at unless the run is strict", async () => {
    expect((await original(surplus, false)).status).toBe("passed");
    expect((await original(surplus, true)).status).toBe("failed");
  });

  test("PSH of full segments is not looked at, that of a smaller one is", async () => {
    const text = (packet: string) => `${accepted}+0 write(4, ..., 3000) = 3000\n+0 > ${packet}\n`;
    expect((await original(text(". 1:3001(3000) ack 1"), false)).status).toBe("passed");
    expect((await original(text(". 1:3001(3000) ack 1"), true)).status).toBe("failed");
    expect((await original(text("P. 1:1001(1000) ack 1"), false)).status).toBe("passed");
    const small = `+0.1 < . 1:1(0) ack 3001 win 60000\n+0 write(4, ..., 100) = 100\n+0 > . 3001:3101(100) ack 1\n`;
    const both = `${text("P. 1:3001(3000) ack 1")}${small}`;
    expect((await original(both, false)).status).toBe("failed");
  });
});

describe("calls", () => {
  test("a blocking accept and read return when their packet comes", () =>
    passes(`${listening}+0...0.1 accept(3, ..., ...) = 4
+0 < S 0:0(0) win 60000
+0 > S. 0:0(0) ack 1 <mss 1460>
+0.1 < . 1:1(0) ack 1 win 60000
+0...0.2 read(4, ..., 100) = 10
+0.2 < P. 1:11(10) ack 1 win 60000
+0.04 > . 1:1(0) ack 11
`));

  test("poll with a timeout returns 0 when it has passed", () =>
    passes(`${accepted}+0...0.05 poll([{fd=4, events=POLLIN, revents=0}], 1, 50) = 0\n`));

  test("an edge-triggered epoll tells the same once", () =>
    passes(`${accepted}+0 epoll_create1(0) = 5
+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN|EPOLLET, fd=4}) = 0
+0 < P. 1:101(100) ack 1 win 60000
+0 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 0) = 1
+0 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 0) = 0
+0 read(4, ..., 1000) = 100
+0.04 > . 1:1(0) ack 101
`));

  test("written text may be anything but zeros", () =>
    passes(`${accepted}+0 write(4, "hello", 5) = 5
+0 > P. 1:6(5) ack 1
+0 < P. 1:6(5) ack 6 win 60000
+0 readv(4, [{..., 2}, {..., 10}], 2) = 5
+0.04 > . 6:6(0) ack 6
`));

  test("a reset is told once, then the end", () =>
    passes(`${accepted}+0 < R. 1:1(0) ack 1 win 0
+0 poll([{fd=4, events=POLLIN, revents=POLLIN|POLLERR|POLLHUP}], 1, 0) = 1
+0 read(4, ..., 10) = -1 ECONNRESET
+0 read(4, ..., 10) = 0
+0 write(4, ..., 10) = -1 EPIPE
`));
});

describe("conversations", () => {
  test("named ports keep two connections apart", () =>
    passes(`${listening}+0 < 1000 > 8080 S 0:0(0) win 60000
+0 > 8080 > 1000 S. 0:0(0) ack 1 <mss 1460>
+0 < 1000 > 8080 . 1:1(0) ack 1 win 60000
+0 accept(3, ..., ...) = 4
+0 < 2000 > 8080 S 500:500(0) win 60000
+0 > 8080 > 2000 S. 0:0(0) ack 501 <mss 1460>
+0 < 2000 > 8080 . 1:1(0) ack 1 win 60000
+0 accept(3, ..., ...) = 5
+0 write(4, ..., 10) = 10
+0 > 8080 > 1000 P. 1:11(10) ack 1
+0 write(5, ..., 10) = 10
+0 > 8080 > 2000 P. 1:11(10) ack 1
`));

  test("a packet of another connection is not the expected one", async () => {
    const { message } = await runText(`${listening}+0 < S 0:0(0) win 60000
+0 > S. 0:0(0) ack 1 <mss 1460>
+0 < 2000 > 8080 S 0:0(0) win 60000
+0 < 3000 > 8080 . 5:5(0) ack 9 win 60000
+0 > . 1:1(0) ack 1
`);
    expect(message?.split("\n")[0]).toBe("t.pkt:8: the packet belongs to another connection");
  });

  test("a socket's ephemeral port has the name that the script gives it", () =>
    passes(`${socket}+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 connect(3, ..., ...) = -1 EINPROGRESS
+0 > 1234 > 8080 S 0:0(0) <...>
+0 < 8080 > 1234 S. 0:0(0) ack 1 win 60000
+0 > 1234 > 8080 . 1:1(0) ack 1
`));

  test("numbers are those of the connection in packets with SYN, and count from the ISN in others", () =>
    passes(`${listening}+0 < S 4294967290:4294967290(0) win 60000
+0 > S. 4294967295:4294967295(0) ack 4294967291 <mss 1460>
+0 < . 1:1(0) ack 1 win 60000
+0 accept(3, ..., ...) = 4
+0 < P. 1:11(10) ack 1 win 60000
+0.04 > . 1:1(0) ack 11
`));

  test("the script's ISN is that of its SYN-ACK when the system connects", () =>
    passes(`${socket}+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 connect(3, ..., ...) = -1 EINPROGRESS
+0 > S 700:700(0) <...>
+0.01 < S. 500:500(0) ack 701 win 60000 <mss 1000>
+0 > . 1:1(0) ack 1
+0 write(3, ..., 10) = 10
+0 > P. 1:11(10) ack 1
+0.01 < . 1:1(0) ack 11 win 60000
`));

  test("a setting that changes while the script runs holds from then on", () =>
    passes(`${listening}+0 < S 0:0(0) win 60000 <mss 1000,sackOK>
+0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK>
+0 \`sysctl -q net.ipv4.tcp_sack=0\`
+0 < 2000 > 8080 S 0:0(0) win 60000 <mss 1000,sackOK>
+0 > 8080 > 2000 S. 0:0(0) ack 1 <mss 1460>
`));
});
